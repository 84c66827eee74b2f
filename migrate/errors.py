"""Every error, grouped by what to do next.

    MigrateError
    ├── UsageError      fix the command, the spec or the mapping            exit 2
    │   └── Unrecognised  files that are not the platform's
    ├── Refused         sources, mapping, target or workdir do not fit      exit 5
    │   └── Unfit       one source cannot be planned as it is: set aside
    └── Stopped         the server, the key, the quota, the deadline        exit 4
        └── Unasked     PostHog could not be asked what it has
            └── TookTooLong  a question that PostHog gave up: ask for less at once

A bad row is data (a reject), never an exception. An exception that is none of these is a bug and keeps its
traceback. Messages say where, what is wrong, what was found, and what to do: lower case, no full stop.
"""

from collections.abc import Sequence
from typing import ClassVar


class MigrateError(Exception):
    """An error the user can do something about; `exit_code` is what the command line answers."""

    exit_code: ClassVar[int]
    is_told: bool = False
    """Whether the JSON summary tells of it already."""


class UsageError(MigrateError):
    """A command, a configuration, a spec or a mapping that cannot be meant so; nothing was done."""

    exit_code = 2


class Unrecognised(UsageError):  # noqa: N818 - the word says what happened
    """Files that no table of the platform takes, or that look like another platform's.

    `names` are all of them, `likely` the platforms that they look like; `ways` are commands to try, as whoever knows
    what was typed has filled them in.
    """

    def __init__(self, why: str, names: Sequence[str], likely: Sequence[str] = ()) -> None:
        super().__init__(why)
        self.names = names
        self.likely = likely
        self.ways: Sequence[str] = ()


class Refused(MigrateError):  # noqa: N818 - the word says what happened
    """The sources, the mapping, the target or the workdir differ from what was planned, or are held elsewhere."""

    exit_code = 5


class Unfit(Refused):
    """A source cannot be planned as it is now: it is set aside by name, and the others are planned."""

    def __init__(self, name: str, reason: str, why: str) -> None:
        super().__init__(f"{name}: {why}")
        self.name, self.reason, self.why = name, reason, why


class Stopped(MigrateError):  # noqa: N818 - the word says what happened
    """Planning or sending stopped before the end; nothing is lost and the same command goes on.

    `why` in a word: quota, key, server, deadline, refused (all of the first batch), worker, or disk.
    """

    exit_code = 4

    def __init__(self, message: str, why: str = "disk") -> None:
        super().__init__(message)
        self.why = why


class Unasked(Stopped):
    """PostHog could not be asked, or its answer is none; nothing was changed by asking.

    `why` in a word: key, server or deadline. `status` is that of the answer, 0 where there was none; `words` are the
    server's own.
    """

    def __init__(self, message: str, why: str = "server", *, status: int = 0, words: str = "") -> None:
        super().__init__(message, why)
        self.status, self.words = status, words


class TookTooLong(Unasked):
    """A question that PostHog gave up after its ten seconds, or for its memory: whoever asked may ask for less."""
