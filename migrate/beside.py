"""Files that tell of other files, as headers and lookups do: found by their names, opened when they are asked for."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from migrate.errors import Unfit
from migrate.inputs.listing import sources
from migrate.inputs.names import path_text
from migrate.inputs.nearest import container, nearest
from migrate.inputs.source import Source
from migrate.inputs.stored import is_there, stored_of
from migrate.kit.declare import is_called

_SHOWN = 3


@dataclass
class Beside:
    """All sources that the inputs hold, by name: those to look into, and those that are as they were when planned."""

    names: Collection[str]
    files: Iterable[Source]
    """Those of them that are known already."""
    _sources: dict[str, Source] = field(default_factory=dict)
    _named: dict[tuple[str, ...], list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._sources = {source.name: source for source in self.files}

    def called(self, globs: Sequence[str]) -> list[str]:
        """Return the names of the sources that one of these globs is for."""
        key = tuple(globs)
        if key not in self._named:
            self._named[key] = [name for name in self.names if is_called(name, key)]
        return self._named[key]

    def header_file(self, name: str, glob: str) -> Source:
        """Return the file that names the columns of the source of this name; raises `Unfit` where there is none."""
        found = nearest(name, self.called([glob]))
        if len(found) == 1:
            return self.source(found[0])
        what = "it has no header, and the names of its columns are"
        if found:
            some = ", ".join(found[:_SHOWN]) + (", …" if len(found) > _SHOWN else "")
            why = f"{what} in one of {some}; leave the one it was exported with in its folder, and move the others"
        else:
            why = (
                f"{what} in a file called {glob}, and of the inputs none in {container(name)} is called so, "
                "none of its day elsewhere; fetch it, too (it may be in an archive of lookups), and name it, or its "
                "folder, as an input"
            )
        raise Unfit(name, "no_header_file", why)

    def source(self, name: str) -> Source:
        """Return the source of this name, also one that was passed by as unchanged; `Unfit` where it is gone."""
        if name not in self._sources and is_there(stored_of(name)):
            for source in sources([path_text(name)], skip_unreadable=True).sources:
                self._sources.setdefault(source.name, source)
        if name not in self._sources:
            raise Unfit(name, "vanished", "cannot be read any more; put the file back or plan again")
        return self._sources[name]


def whole(names: Sequence[str], files: Sequence[Source], planned: Collection[str]) -> list[str]:
    """Return the names among which files are looked up that tell of others.

    Rows that were rejected are no whole file; what they are joined with lies where they come from, and was planned.
    """
    copies = {source.name for source in files if source.lines is not None}
    known = dict.fromkeys((*names, *planned)) if copies else names
    return [name for name in known if name not in copies]
