"""What is known of the files that were fetched, in a hidden file beside them: `.fetch.json`.

The files themselves say what is there. Beside that it says which stretches were empty, when each was asked for, and by
what its content is known again; of which project all of it is, in which zone its days are; and how to go on.
"""

import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from migrate.errors import Refused
from migrate.fetching.shelf import Shelf

NAME: Final = ".fetch.json"
_EARLIEST: Final = 2000
"""No vendor was asked before this year."""


@dataclass(frozen=True)
class Note:
    """A stretch that was asked for."""

    asked: str
    """When, the last time: ISO 8601, UTC."""
    rows: int = 0
    digest: str = ""


@dataclass
class Notes:
    """All that is noted; what is None is not known."""

    platform: str | None = None
    host: str | None = None
    project: str | None = None
    timezone: str | None = None
    """In which the vendor's days are, where they are not UTC's."""
    since: str | None = None
    """From when on everything was asked for, on the vendor's clock."""
    next: str | None = None
    """The command that reads what is there."""
    requests: list[float] = field(default_factory=list)
    """When the last ones were made, as far as a quota counts them: seconds since 1970."""
    spans: dict[str, Note] = field(default_factory=dict)
    """By what files of them are called, without the ending."""
    keys: str | None = None
    """The mark of the credentials, where they alone say which project it is; they are not known by it."""

    @classmethod
    def read(cls, shelf: Shelf) -> "Notes":
        """Return what is noted; raises Refused where it cannot be read."""
        if (data := shelf.read(NAME)) is None:
            return cls()
        try:
            found: dict[str, Any] = json.loads(data)
            notes = cls(**{**found, "spans": {name: Note(**one) for name, one in found["spans"].items()}})
            notes._check()
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
            raise Refused(
                f"{shelf.shown}/{NAME}: is not as it was written; remove it: what is there stays, and only what was "
                "empty is asked for once more"
            ) from None
        return notes

    def _check(self) -> None:
        """Raise ValueError or TypeError where something is not what it is said to be."""
        texts = (self.platform, self.host, self.project, self.keys, self.timezone, self.since, self.next)
        shapes: list[tuple[object, type]] = [(one, str) for one in texts if one is not None] + [
            (one, float) for one in self.requests
        ]
        for note in self.spans.values():
            shapes += [(note.rows, int), (note.digest, str)]
            if datetime.fromisoformat(note.asked).astimezone(UTC).year < _EARLIEST:
                raise ValueError(note.asked)
        if not all(isinstance(one, kind) for one, kind in shapes):
            raise TypeError
        if self.since is not None and datetime.fromisoformat(self.since).tzinfo is not None:
            raise ValueError(self.since)

    def encoded(self) -> bytes:
        """Return all of it, as it is written."""
        spans = {name: asdict(one) for name, one in sorted(self.spans.items())}
        return f"{json.dumps(vars(self) | {'spans': spans}, indent=1)}\n".encode()

    def free(self) -> None:
        """Forget whose files these are: for a target in which there is nothing of anyone's yet."""
        self.platform = self.host = self.project = self.keys = None

    def bind(self, shelf: Shelf, **said: str | None) -> None:
        """Note whose files these are; raises Refused where they are another's."""
        for name, value in said.items():
            found = getattr(self, name)
            if found is not None and value is not None and found != value:
                advice = "fetch into another folder"
                if name == "keys":
                    advice += f", or remove this line of {NAME} if they are new ones of the same project"
                raise Refused(f"{shelf.shown}: what is there is of {name} {found}, found {value}; {advice}")
            setattr(self, name, found if value is None else value)
