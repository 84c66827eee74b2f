"""Files that are as they were when all that is in them was planned: they are passed by, and never opened."""

import os
from collections.abc import Collection, Mapping

from migrate.inputs.names import path_text
from migrate.inputs.stored import stamped
from migrate.stores.objects import Object


class Unchanged:
    """What is planned, by path, with the stamp that each had; None of what is to be looked into all the same."""

    def __init__(self, planned: Mapping[str, str | None]) -> None:
        self.planned = planned
        self.found: list[str] = []
        """Paths that were passed by."""
        self.inodes: set[tuple[object, object]] = set()
        """What was passed by, as the file system knows it."""

    def holds(self, path: str) -> bool:
        """Return whether a file is planned as it is; it is noted, then."""
        before = self.planned.get(path)
        if before is None:
            return False
        try:
            status = os.stat(path)  # noqa: PTH116 - a hundred thousand paths are slow to make
        except OSError:
            return False
        if stamped(status) != before:
            return False
        self.found.append(path)
        self.inodes.add((status.st_dev, status.st_ino))
        return True

    def holds_object(self, one: Object) -> bool:
        """Return the same of an object, by the stamp that it was listed with."""
        if self.planned.get(one.url) != one.entry.stamp:
            return False
        self.found.append(one.url)
        return True

    def within(self, names: Collection[str]) -> list[str]:
        """Return those of these names of sources that are in what was passed by."""
        found = {*self.found}
        return [name for name in names if path_text(name) in found]
