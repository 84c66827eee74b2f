"""How a table's rows become events: the table, the user's options, and what is known of people."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime

from migrate.kit.declare import Options, Table
from migrate.payload.payloads import (
    Imprint,
)
from migrate.people.lookup import Lookup
from migrate.rules.frames import Ruling


@dataclass(frozen=True, kw_only=True)
class Transform:
    """Rows of one table → finished events, under the user's options."""

    table: Table
    imprint: Imprint
    options: Options = field(default_factory=Options)
    since: datetime | None = None
    until: datetime | None = None
    file: str = ""
    """`FILE` of the rows, where they do not say it themselves."""
    people: Lookup | None = None
    """What is known of persons and rows from all files."""
    profiled: bool = False
    """Whether any file has profiles, for which it must be known when each person was last seen."""
    tells: bool = True
    """Whether events are planned that tell of persons and groups, and of who is who."""
    ruling: Ruling | None = None
    """The user's own rules, where there are any."""
    explained: Callable[[str], AbstractContextManager[None]] | None = None
    """What says what a user's own mapping raises as what is wrong with its file; a text is where it arose."""
