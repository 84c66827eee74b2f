"""The JSON summary → metrics as Prometheus reads them, in one file for all workdirs that name it.

A file is written whole or not at all, and read again each time: what it holds of other workdirs, and what a command
does not know of its own, stays. Times are seconds since 1970, as Prometheus has them.
"""

import fcntl
import os
import stat
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families

from migrate.errors import UsageError
from migrate.log import own_kind
from migrate.logline import single
from migrate.workdir.disk import sync

_MODE: Final = 0o644
"""The node exporter is another user."""
_PATIENCE: Final = 2.0
"""Seconds that another process may take to write the same file."""
_PAUSE: Final = 0.05


class Family(NamedTuple):
    """Samples of one name; the labels they have beside that of the workdir and of the job."""

    name: str
    help: str
    labels: tuple[str, ...] = ()

    @property
    def is_counter(self) -> bool:
        """Whether it only grows."""
        return self.name.endswith("_total")


_ALL: Final = ("workdir", "job_name")
OF_WORKDIR: Final = (
    Family("migrate_rows_total", "Source rows, by what became of them and why.", ("outcome", "reason")),
    Family("migrate_events", "Planned events, by what became of them; in all, those planned.", ("outcome",)),
    Family("migrate_open_rejects", "Rejected rows neither mended nor dismissed.", ("reason",)),
    Family("migrate_open_parked_events", "Events that PostHog refused and nobody dismissed."),
    Family("migrate_set_aside_files", "Sources that are not planned."),
    Family("migrate_requests_total", "Requests sent to PostHog."),
    Family("migrate_retries_total", "Requests sent again."),
    Family("migrate_sent_bytes_total", "Bytes of request bodies sent."),
    Family("migrate_newest_event_timestamp_seconds", "Time of the newest planned event."),
    Family("migrate_lag_seconds", "Age of the newest planned event when the command ended."),
    Family("migrate_verify_passes", "Whether PostHog had all that was compared last: 1 or 0."),
    Family("migrate_verify_events", "Events that PostHog had otherwise, by the cause.", ("cause",)),
)
"""What a workdir is known by, once a command has come to it."""
OF_COMMAND: Final = (
    Family("migrate_last_exit_code", "Exit code of the last run of a command.", ("command",)),
    Family("migrate_last_run_timestamp_seconds", "When a command ended last.", ("command",)),
    Family("migrate_last_success_timestamp_seconds", "When a command ended last with 0.", ("command",)),
    Family("migrate_duration_seconds", "How long the last run of a command took.", ("command",)),
)
FAMILIES: Final = (*OF_WORKDIR, *OF_COMMAND)
"""All there are, in the order of the file."""
_VERIFIED: Final = {"migrate_verify_passes", "migrate_verify_events"}
_SUCCESS: Final = "migrate_last_success_timestamp_seconds"

Labels = tuple[str, ...]
Samples = dict[str, dict[Labels, float]]
"""By name, by the values of the labels: the workdir, the job, and those of the family."""


@dataclass(frozen=True)
class Ended:
    """How a command ended: its name, its job's, the workdir it worked in or would have, and what `--json` says."""

    command: str
    job: str
    workdir: str
    code: int
    ended: float
    seconds: float
    summary: Mapping[str, Any]

    @property
    def came_to_workdir(self) -> bool:
        """Whether it knows the numbers of a workdir."""
        return self.summary["import_id"] is not None


def note(path: Path, ended: Ended) -> None:
    """Write how a command ended into a file of metrics, beside what is there.

    Raises OSError where it cannot be written, UsageError where something else is there.
    """
    place = Path(os.path.realpath(path))  # a link stays one
    ended = replace(ended, workdir=_label(ended.workdir), job=_label(ended.job))
    with _held(place.parent):
        mine, kept = samples(ended), dict(_kept(_read(place), ended))
        _write(place, text({name: {**values, **mine.get(name, {})} for name, values in kept.items()}))


def samples(ended: Ended) -> Samples:
    """Return what one command knows."""
    found: Samples = {}
    for name, value, *labels in (*_of_command(ended), *_of_workdir(ended)):
        found.setdefault(name, {})[ended.workdir, ended.job, *labels] = value
    return found


def _label(name: str) -> str:
    """Return a name as the log has it: what is no text in it, and control characters, as their escapes."""
    return single(name).encode(errors="backslashreplace").decode()


def _of_command(ended: Ended) -> Iterator[tuple[str, float, str]]:
    """Yield how the command ended: name, value, command."""
    yield "migrate_last_exit_code", ended.code, ended.command
    yield "migrate_last_run_timestamp_seconds", ended.ended, ended.command
    yield "migrate_duration_seconds", ended.seconds, ended.command
    if not ended.code:
        yield _SUCCESS, ended.ended, ended.command


def _of_workdir(ended: Ended) -> Iterator[tuple[str, float, *tuple[str, ...]]]:
    """Yield the numbers of the workdir: name, value, what else tells them apart."""
    if not ended.came_to_workdir:
        return
    said = ended.summary
    yield "migrate_rows_total", said["rows"]["mapped"], "mapped", ""
    for outcome in ("filtered", "rejected"):
        for reason, rows in said["rows"][outcome].items():
            yield "migrate_rows_total", rows, outcome, reason
    for outcome, events in said["events"].items():
        if outcome != "planned":
            yield "migrate_events", events, outcome
    for reason, rows in said["open_rejects"].items():
        yield "migrate_open_rejects", rows, reason
    yield "migrate_open_parked_events", said["events"]["parked"] - said["dismissed_parked"]
    yield "migrate_set_aside_files", len(said["set_aside"])
    yield "migrate_requests_total", said["requests"]
    yield "migrate_retries_total", said["retries"]
    yield "migrate_sent_bytes_total", said["bytes_sent"]
    yield from _of_time(ended)
    if (verdict := said.get("verify")) is not None:
        yield "migrate_verify_passes", verdict["passes"]
        for cause, events in verdict["causes"].items():
            yield "migrate_verify_events", events, cause


def _of_time(ended: Ended) -> Iterator[tuple[str, float]]:
    """Yield how new the newest event is, where there is one."""
    if (newest := ended.summary["last_timestamp"]) is not None:
        moment = datetime.fromisoformat(newest).timestamp()
        yield "migrate_newest_event_timestamp_seconds", moment
        yield "migrate_lag_seconds", ended.ended - moment


def text(found: Samples) -> bytes:
    """Return samples in Prometheus' text format, in an order that does not change."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(found))
    return generate_latest(registry)


@dataclass(frozen=True, eq=False)
class _Collector:
    """What the library asks for families."""

    found: Samples

    def collect(self) -> Iterator[Metric]:
        """Yield each family that has a sample."""
        for family in FAMILIES:
            if not (values := self.found.get(family.name)):
                continue
            kind = CounterMetricFamily if family.is_counter else GaugeMetricFamily
            made = kind(family.name, family.help, labels=(*_ALL, *family.labels))
            for labels, value in sorted(values.items()):
                made.add_metric(labels, value)
            yield made


def _read(place: Path) -> Samples:
    """Return what a file holds; nothing, where it is not there, is empty, or was harmed."""
    try:
        status = place.stat()
    except FileNotFoundError:
        return {}
    if not stat.S_ISREG(status.st_mode):
        raise UsageError("it is no file, and none is written in its place")
    if status.st_size and own_kind(place) != "metrics":
        raise UsageError("it is there and holds no metrics of migrate's; name another, it would be replaced")
    with suppress(ValueError):
        return _parsed(place.read_bytes().decode())
    return {}


def _parsed(said: str) -> Samples:
    """Return the samples of families that are known; raises ValueError for what is no text of Prometheus'."""
    names = {family.name: (*_ALL, *family.labels) for family in FAMILIES}
    found: Samples = {}
    for metric in text_string_to_metric_families(said):
        for one in metric.samples:
            if one.name in names:
                labels = tuple(one.labels.get(name, "") for name in names[one.name])
                found.setdefault(one.name, {})[labels] = float(one.value)
    return found


def _kept(there: Samples, ended: Ended) -> Iterator[tuple[str, dict[Labels, float]]]:
    """Yield each family with what stays of it beside what a command knows."""
    for family in FAMILIES:
        stays = family.name in _VERIFIED and "verify" not in ended.summary
        stays |= family in OF_WORKDIR and not ended.came_to_workdir
        stays |= family.name == _SUCCESS and bool(ended.code)
        values = there.get(family.name, {})
        yield (
            family.name,
            {labels: value for labels, value in values.items() if stays or not _is_of(labels, family, ended)},
        )


def _is_of(labels: Labels, family: Family, ended: Ended) -> bool:
    """Return whether a sample is of the same workdir, and, where it has one, of the same command."""
    return labels[0] == ended.workdir and ("command" not in family.labels or labels[-1] == ended.command)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Keep other processes of ours from writing in a folder; raises TimeoutError where one does not come to its end."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        until = time.monotonic() + _PATIENCE
        while not _locked(descriptor):
            if time.monotonic() > until:
                raise TimeoutError(0, "another process writes there")
            time.sleep(_PAUSE)
        yield
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _write(place: Path, data: bytes) -> None:
    """Write a file aside, and put it in its place."""
    descriptor, name = tempfile.mkstemp(prefix=f".{place.name}.", suffix=".new", dir=place.parent)
    beside = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            os.fchmod(file.fileno(), _MODE)
        sync(beside)
        beside.replace(place)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
