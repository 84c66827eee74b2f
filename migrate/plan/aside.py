"""Sources that cannot be planned as they are: set aside by name, so that the others are planned."""

import shlex
import threading
from collections.abc import Mapping, Sequence

from migrate.errors import Unfit
from migrate.inputs.names import archive_of
from migrate.inputs.source import Fingerprint, Source, fingerprint, stamp
from migrate.inputs.stored import stamp_now, stamp_of, stored_of
from migrate.plan.changed import Looked
from migrate.workdir import asides
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.records import BEFORE, Aside, Input


class SetAside:
    """What one command sets aside, and what of earlier ones is right again. Several threads may `put`."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.found: dict[str, Aside] = {}
        """Sources that turn out not to be what can be planned -> why."""
        self.gone: list[str] = []
        """Sources that were set aside, were planned before, and are no longer there."""
        self._checkpoint = checkpoint
        self._lock = threading.Lock()

    def put_missed(self, given: set[str]) -> None:
        """Set aside what an earlier command was to plan and did not, and what is no longer there."""
        for name in self._checkpoint.unplanned():
            is_file = not name.startswith("(")
            if is_file and name not in given and not stored_of(name).exists():
                self.put(Unfit(name, "vanished", "vanished before it was planned; put it back and plan it"))

    def take_back(self, archives: set[str]) -> None:
        """Take back what is set aside as changed and is now, byte for byte, what was planned, and archives now read.

        So is what was planned and is gone now: there is nothing left that differs from it.
        """
        planned: dict[str, set[str]] = {}
        aside = self._checkpoint.set_aside()
        for name, known in (self._checkpoint.inputs() if aside else {}).items():
            if known.planned and BEFORE not in name:
                for one in {name, archive_of(name)}:
                    planned.setdefault(one, set()).add(known.stamp)
        back = []
        for name in aside:
            path = stored_of(name)
            is_planned = name in planned and name not in self.found
            if name in archives or (is_planned and path.exists() and {stamp_of(path)} == planned[name]):
                back.append(name)
            elif is_planned and not path.exists():
                self.gone.append(name)
        back += self.gone
        if back:
            asides.set_right(self._checkpoint, back)

    def put(self, error: Unfit, stamp: str = "") -> None:
        """Set a source aside, by name: the others are planned."""
        if error.reason in asides.MISREAD:  # is another where it changes
            stamp = stamp or stamp_now(error.name)
        with self._lock:
            self.found[error.name] = Aside(error.reason, error.why, stamp)

    def put_changed(
        self, planned: Sequence[tuple[Input, Source]], looked: Mapping[str, Looked] | None = None
    ) -> None:
        """Set aside planned inputs that have other bytes now; a copy of rejects as one file, whose rows it may hold.

        What was `looked` at, by name, is not read again.
        """
        restamped = {}
        for known, source in planned:
            try:
                now = stamp(source)
                if now == known.stamp:
                    continue
                before = (looked or {}).get(source.name)
                found = (
                    before.found
                    if before is not None and before.stamp == now
                    else fingerprint(source, Fingerprint(known.size, known.digest))
                )
            except Unfit:
                continue  # planned as it was, and gone since
            if (found.size, found.digest) == (known.size, known.digest):
                restamped[known.id] = now
                continue
            file = archive_of(source.name)
            why = (
                f"changed since it was planned, found {found.size:,} bytes where {known.size:,} were planned or other "
                f"content; put the planned file back, or plan what is new in it with --again {shlex.quote(file)}"
            )
            self.put(Unfit(source.name if source.lines is None else file, "changed", why), now)
        if restamped:
            self._checkpoint.restamp(restamped)
