"""From what a user names to the sources it stands for, in natural order, each once.

An input that is not there, is no file or folder, or holds nothing at all is a wrong command, but for a folder that held
what is planned. What lies in a folder and cannot be read costs itself alone: a file is set aside by name, a folder is
refused unless it is to be passed over.
"""

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from migrate.errors import Unfit
from migrate.inputs.archives import Member, members
from migrate.inputs.dated import Span
from migrate.inputs.finding import Finder
from migrate.inputs.guises import hollow
from migrate.inputs.names import natural, shown, source_name
from migrate.inputs.passed import why_passed
from migrate.inputs.rejected import Unreadable, origins_of
from migrate.inputs.source import Source
from migrate.inputs.stored import Stored, identity_of, size_of, warmed
from migrate.inputs.unchanged import Unchanged
from migrate.log import kind_of
from migrate.stores.objects import Object
from migrate.stores.troubles import Trouble

_EVER: Final = Span()
_NOTHING: Final[Mapping[str, str | None]] = {}


@dataclass(frozen=True)
class Sources:
    """What the inputs come to: sources in natural order, and what was left aside, by reason."""

    sources: list[Source]
    skipped: dict[str, list[str]]
    """Reason (`hidden`, `empty`, `duplicate`, `workdir`, `replaced`, `link`, `emptied`, `missing` …) -> names."""
    unfit: list[Unfit] = field(default_factory=list)
    """Files that cannot be read, and archives that cannot be looked into."""
    unchanged: Unchanged = field(default_factory=lambda: Unchanged({}))
    """What was passed by, as it is planned."""


def sources(
    inputs: Sequence[str],
    *,
    skip_unreadable: bool = False,
    planned: Mapping[str, str | None] = _NOTHING,
    span: Span = _EVER,
) -> Sources:
    """Return the sources that files, folders, globs and archives stand for, in natural order, each once.

    Files that are `planned`, by path, and have the stamp that they had are passed by. A folder or glob that holds
    nothing and once held any of them is skipped as `emptied`. Raises
    `UsageError` for any other input that holds nothing, or does not exist, and for a folder that cannot be read, unless
    such are to be skipped. An input whose path holds a day stands for that of each day of `span`; days for which there
    is nothing are skipped as `missing`.
    """
    listing = _Listing(skip_unreadable=skip_unreadable, planned=planned, span=span)
    files = {path: None for given in inputs for path in listing.files(given)}
    for path in warmed(sorted(files, key=lambda path: natural(path.as_posix())), lambda path: path):
        listing.add(path)
    found = sorted(listing.found, key=lambda source: natural(source.name))
    skipped = {reason: sorted(names, key=natural) for reason, names in sorted(listing.skipped.items())}
    return Sources(found, skipped, listing.unfit, listing.unchanged)


class _Listing(Finder):
    """Files on their way to becoming sources."""

    def __init__(self, *, skip_unreadable: bool, planned: Mapping[str, str | None], span: Span) -> None:
        super().__init__(skip_unreadable=skip_unreadable, planned=planned, span=span)
        self.found: list[Source] = []
        self.unfit: list[Unfit] = []
        self._inodes = self.unchanged.inodes

    def add(self, path: Stored) -> None:
        """Take up a file, or the members of an archive; one that cannot be read is set aside."""
        name = source_name(path.as_posix())
        try:
            size, identity = size_of(path), identity_of(path)
            is_twice = identity in self._inodes
            inside = None if is_twice or not size else members(path)
            rejected = None if is_twice or inside is not None else origins_of(path)
            passed = "duplicate" if is_twice else _own_kind(path) if inside is None else ""
            self._inodes.add(identity)
        except Trouble as error:
            self.unfit.append(Unfit(name, error.reason, error.why))
            return
        except OSError as error:
            why = f"cannot be read ({error.strerror}); see to its permissions"
            self.unfit.append(Unfit(name, "unreadable", why))
            return
        except Unfit as error:
            self.unfit.append(error)
            return
        except Unreadable as error:
            self._take(Source(name, size, path, fault=str(error)))
            return
        if passed:
            self.skip(passed, path.as_posix())
        elif inside is not None:
            self._add_members(path, inside)
        elif rejected is None:
            self._take(Source(name, size, path))
        # Rows of each file by themselves: what table they are of is told by their columns and their file's name.
        for lines in rejected or ():
            self._take(Source(f"{name}!{shown(lines.file)}", lines.size, path, lines=lines))

    def _add_members(self, archive: Stored, inside: Sequence[Member]) -> None:
        """Take up an archive's members; of two with one name the later replaces the earlier, as in unpacking."""
        if not inside:
            self.skip("empty", archive.as_posix())
        last = {posixpath.normpath(member.name): member for member in inside if member.skipped is None}
        unread: list[tuple[str, Member]] = []
        before = len(self.found)
        for member in inside:
            name = source_name(archive.as_posix(), member.name)
            reason = next(filter(None, map(why_passed, member.name.split("/"))), None) or member.skipped
            if reason is None and last[posixpath.normpath(member.name)] is not member:
                reason = "replaced"
            if reason:
                self.note(reason, name)
            elif member.trouble:
                unread.append((name, member))
            else:
                self._take(Source(name, member.size, archive, member))
        self._set_aside(archive, unread, is_all=len(self.found) == before)

    def _set_aside(self, archive: Stored, unread: Sequence[tuple[str, Member]], *, is_all: bool) -> None:
        """Set members aside that cannot be read; the archive, where none of it can."""
        troubles = {member.trouble for _, member in unread}
        if is_all and len(troubles) == 1:
            name, member = unread[0]
            reason, why = member.trouble or ("", "")
            self.unfit.append(Unfit(source_name(archive.as_posix()), reason, f"'{shown(member.name)}' {why}"))
            return
        for name, member in unread:
            reason, why = member.trouble or ("", "")
            self.unfit.append(Unfit(name, reason, why))

    def _take(self, source: Source) -> None:
        if source.size:
            self.found.append(source)
        elif why := hollow(source.name):
            self.unfit.append(Unfit(source.name, "no_export", why))
        else:
            self.note("empty", source.name)


def _own_kind(one: Stored) -> str:
    """Return what an object of ours is, as `log.own_kind`; of files that is told while folders are gone through."""
    if not isinstance(one, Object):
        return ""
    with one.open() as file:
        return kind_of(file)
