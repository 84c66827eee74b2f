"""Where the files of a plan's parts lie: in its workdir; see `far` for those in a storage."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Final

from migrate.workdir.disk import sync, sync_all
from migrate.workdir.seals import Kept, check_present

DAYS: Final = "days"
NOTHING: Final = MappingProxyType[str, int]({})
Over = Callable[[], bool]
"""Says whether whoever waits is to wait no more."""


def never() -> bool:
    """Return that whoever waits goes on waiting."""
    return False


class Left(Exception):  # noqa: N818 - the word says what happened
    """Nobody waits for files any more: work was asked to stop."""


class Depot:
    """The files of parts, each by its path within the workdir, which is where all that reads one opens it.

    A worker process may have it, too.
    """

    is_far = False
    """Whether they lie elsewhere, and are in the workdir only while they are read."""

    def __init__(self, workdir: Path) -> None:
        self.workdir = workdir

    def shown(self, name: str) -> str:
        """Return where a file lies, as messages say it."""
        return str(self.workdir / name)

    def near(
        self,
        names: Iterable[str],  # noqa: ARG002
        ahead: Mapping[str, int] = NOTHING,  # noqa: ARG002
        is_over: Over = never,  # noqa: ARG002
    ) -> AbstractContextManager[None]:
        """Have files in the workdir as long as the block lasts; those `ahead`, of so many bytes, are wanted next.

        One that is gone is not there, which is for its reader to find. Raises Left as soon as it `is_over`.
        """
        return nullcontext()

    def keep(self, files: Mapping[str, Path]) -> None:
        """Have files that were written on this machine lie where they belong; those of the same names give way."""

    def place(self, files: Mapping[str, Path]) -> None:
        """Move files that are durable, and were given to `keep`, to their names, durably."""
        for name, path in files.items():
            (self.workdir / name).parent.mkdir(parents=True, exist_ok=True)
            path.replace(self.workdir / name)
        folders = {(self.workdir / name).parent for name in files}
        above = {folder.parent for folder in folders} | ({self.workdir} if folders else set())
        sync_all(sorted(folders))
        for folder in sorted(above, reverse=True):
            sync(folder)

    def remove(self, names: Sequence[str]) -> None:
        """Remove files, and folders that are empty then; one that is gone is no matter, nor a folder in its place."""
        for path in (self.workdir / name for name in names):
            try:
                path.unlink(missing_ok=True)
            except OSError:
                if not path.is_dir():
                    raise
                with suppress(OSError):  # what is in it is not ours
                    path.rmdir()
            with suppress(OSError):  # others are in it, or it is gone, too
                path.parent.rmdir()

    def listed(self, folder: str = "") -> Iterator[list[str]]:
        """Yield the names of all files of days, or of those in a folder that ends with a slash, some at a time."""
        found = self.workdir.glob(f"{folder}*.parquet" if folder else f"{DAYS}/*/*.parquet")
        yield [path.relative_to(self.workdir).as_posix() for path in found]

    def check(self, files: Iterable[Kept], is_over: Over = never) -> None:  # noqa: ARG002
        """Raise Harmed where a file is not there, or of another size, Left as soon as it `is_over`."""
        for one in files:
            check_present(one.path, one.seal)

    def take(self) -> None:
        """Begin to work in the workdir, which this process holds: what a killed one had near goes."""

    def leave(self) -> None:
        """End that."""
