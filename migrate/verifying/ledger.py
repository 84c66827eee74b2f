"""What PostHog has acknowledged, day by day and event by event, as the plan's files and the checkpoint tell it.

An event counts once for its uuid, name and person, as PostHog keeps it. Left out is what was not acknowledged: parked
events, what is not sent yet, and versions of changed rows that were never to be sent.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from threading import Lock
from typing import Any, Final, NamedTuple

import polars as pl

from migrate.apply.groups import open_sealed
from migrate.workdir import harm, lost, parked
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.parts import PARTS, part_of
from migrate.workdir.records import Fate, Part
from migrate.workdir.seals import Harmed

KEY: Final = ("uuid", "event", "distinct_id")
MERGING: Final = ("$identify", "$create_alias", "$merge_dangerously")
"""Events that may make one person of two ids (posthog-ingestion.md §3.7)."""
_AT_ONCE: Final = 300_000
"""Events of a day that are held at once; of more the day is read several times, some of its uuids each time."""
_SETTLED: Final = (
    f"{PARTS} WHERE day = ?1 AND round IN (SELECT round FROM rounds WHERE day = ?1 AND done AND ended >= ?2) "  # noqa: S608 - our own words
    "ORDER BY path"
)
_DAY: Final = 86_400_000
"""Milliseconds."""
_END: Final = (date.max - date(1970, 1, 1)).days
_TEXTS: Final[dict[str, Any]] = dict.fromkeys(KEY, pl.String)


class Count(NamedTuple):
    """How many events, and how many uuids they have."""

    events: int = 0
    uuids: int = 0
    versions: int = 0
    """How many more there may be: versions of events, of which one was sent and it is not kept which."""

    def plus(self, other: "Count") -> "Count":
        """Return both together."""
        return Count(*map(sum, zip(self, other, strict=True)))


NONE: Final = Count()
ByEvent = dict[str, Count]


@dataclass(frozen=True)
class Sent:
    """When the events of a day were acknowledged: the first time and the last one."""

    first: datetime
    last: datetime


class Ledger:
    """The ledger of a workdir, of all its days or of some; the checkpoint is asked when it is read.

    Memory is that of `at_once` events at the most, however many a day has.
    """

    def __init__(
        self, checkpoint: Checkpoint, only: Collection[str] | None = None, *, at_once: int = _AT_ONCE
    ) -> None:
        self._checkpoint = checkpoint
        self._at_once = at_once
        self._asking = Lock()
        sql = (
            "SELECT day, min(ended), max(ended) FROM rounds WHERE done AND accepted GROUP BY day ORDER BY day"
        )
        wanted = [row for row in checkpoint.query(sql) if only is None or row[0] in only]
        self.sent = {day: Sent(_moment(first), _moment(last)) for day, first, last in wanted}
        """Day -> when its events were acknowledged; the days that are compared, oldest first."""
        cleaned = {day for (day,) in checkpoint.query("SELECT day FROM cleaned")}
        self._cleaned = self.sent.keys() & cleaned
        self.lost: dict[str, Part] = {}
        """Path -> each part that is lost or harmed, and that no source can put back; as far as they were read."""
        sql = "SELECT day FROM parts WHERE round IS NULL UNION SELECT day FROM rounds WHERE NOT done"
        self.unsettled = frozenset(day for (day,) in checkpoint.query(sql))
        """Days of which some events are not sent yet, or on their way."""

    @property
    def cleaned(self) -> frozenset[str]:
        """Days of which files are gone (--dedup-days) or lost: more may have been acknowledged than is known."""
        return frozenset(self._cleaned | {part.day for part in self.lost.values()})

    @property
    def days(self) -> list[str]:
        """The days that are compared, oldest first."""
        return [*self.sent]

    def of(self, day: str) -> ByEvent:
        """Return what PostHog has acknowledged of a day, by event."""
        found: ByEvent = {}
        has_versions = self.has_versions(day)
        for frame in self._frames(day, [*KEY]):
            counts = frame.group_by("event").agg(events=pl.len(), uuids=pl.col("uuid").n_unique())
            for event, events, uuids in counts.sort("event").iter_rows():
                count = Count(uuids, uuids, events - uuids) if has_versions else Count(events, uuids)
                found[event] = found.get(event, NONE).plus(count)
        return found

    def lately(self, day: str, since: datetime, names: Collection[str]) -> pl.DataFrame:
        """Return what was acknowledged of these names of a day since then: event, uuid."""
        frames = [frame.select("event", "uuid") for frame in self._frames(day, [*KEY], since)]
        found = pl.concat(frames) if frames else _none().select("event", "uuid")
        return found.filter(pl.col("event").is_in(pl.Series([*names], dtype=pl.String).implode()))

    def has_versions(self, day: str) -> bool:
        """Return whether events of a day were planned at several times, so that some may be known under two people.

        One of the two was sent, and it is not kept which: such events count once for each uuid (`apply.duplicates`).
        """
        return len({-part.input if part.anew else part.increment for part in self._parts(day)}) > 1

    def events(
        self, day: str, names: Collection[str], *, most: int, until: str | None = None
    ) -> pl.DataFrame:
        """Return events of these names of a day: uuid, event, distinct_id, timestamp; in order of uuid.

        They are the first `most` of them, and none behind the uuid `until`.
        """
        wanted = pl.col("event").is_in(pl.Series([*names], dtype=pl.String).implode())
        wanted = wanted if until is None else wanted & (pl.col("uuid") <= until)
        found = _none()
        for frame in self._frames(day, [*KEY, "timestamp"]):
            found = pl.concat([found, frame.filter(wanted).select(found.columns)]).sort(KEY).head(most)
        return found

    def people(self, day: str) -> pl.Series:
        """Return the ids that events of a day have, each once."""
        frames = [frame["distinct_id"].unique() for frame in self._frames(day, [*KEY])]
        return pl.concat(frames).unique().sort() if frames else pl.Series("distinct_id", [], pl.String)

    def known(self, day: str, uuids: Collection[str]) -> set[str]:
        """Return which of these uuids the plan has under a day, whatever became of them."""
        asked = pl.Series([*uuids], dtype=pl.String).implode()
        found: set[str] = set()
        for *row, _ in self._rows(f"{PARTS} WHERE day = ?", (day,)):
            for frame in self._groups(part_of(*row), ["uuid"]):
                found.update(frame.filter(pl.col("uuid").is_in(asked))["uuid"])
        return found

    def merging(self, day: str) -> Iterator[str]:
        """Yield the payloads of events of a day that may make one person of two ids; none where they are not kept."""
        for part in self._parts(day):
            if not any(frame["event"].is_in(MERGING).any() for frame in self._groups(part, ["event"])):
                continue
            for frame in self._groups(part, ["event", "payload"]):
                yield from frame.filter(pl.col("event").is_in(MERGING) & (pl.col("payload") != ""))["payload"]

    def _frames(self, day: str, columns: list[str], since: datetime | None = None) -> Iterator[pl.DataFrame]:
        """Yield the acknowledged events of a day, those since then, each once; all of one uuid are in one frame."""
        parts = self._parts(day, since)
        parked_ = self._rows("SELECT uuid, payload FROM parked WHERE day = ?", (day,))
        refused = pl.DataFrame(
            [(uuid, *parked.named(payload)) for uuid, payload in parked_], schema=_TEXTS, orient="row"
        )
        passes = -(-sum(part.events for part in parts) // self._at_once)
        with self._checkpoint.depot.near(part.path for part in parts):
            for number in range(passes):
                some = number, passes
                frames = [frame for part in parts for frame in self._groups(part, columns, some)]
                if not frames:
                    continue
                frame = pl.concat(frames).unique([*KEY], keep="first", maintain_order=True)
                yield frame.join(refused, on=[*KEY], how="anti") if refused.height else frame

    def _parts(self, day: str, since: datetime | None = None) -> list[Part]:
        begun = "" if since is None else since.astimezone(UTC).isoformat(timespec="seconds")
        rows = self._rows(_SETTLED, (day, begun))
        return [part for *row, _ in rows if (part := part_of(*row)).fate is not Fate.STAYS]

    def _rows(self, sql: str, given: Sequence[str]) -> list[tuple[Any, ...]]:
        """Return rows of the checkpoint, which one thread asks at a time."""
        with self._asking:
            return self._checkpoint.query(sql, given).fetchall()

    def _groups(
        self, part: Part, columns: list[str], some: tuple[int, int] = (0, 1)
    ) -> Iterator[pl.DataFrame]:
        """Yield columns of a part's events, a row group at a time; `some`: one slice of their uuids, of so many.

        One that was sent and is lost for good has none; raises Harmed where a source puts it back, or it is not sent.
        """
        try:
            yield from self._read(part, columns, some)
        except Harmed:
            with self._asking:
                if harm.standing(self._checkpoint, part.path) or not lost.is_sent(
                    self._checkpoint, part.path
                ):
                    raise
                self.lost[part.path] = part

    def _read(self, part: Part, columns: list[str], some: tuple[int, int]) -> Iterator[pl.DataFrame]:
        number, slices = some
        with (
            self._checkpoint.depot.near([part.path]),
            open_sealed(self._checkpoint.workdir / part.path, part.seal) as file,
        ):
            for group in range(file.num_row_groups):
                table = file.read_row_group(group, columns=columns, use_threads=False)
                if slices > 1:
                    # in Arrow, which copies what is kept: polars would keep the whole group for it
                    uuids = pl.Series(table.column("uuid"))
                    table = table.filter((uuids.hash() % slices == number).to_arrow())
                frame = pl.DataFrame(table)
                yield frame.with_columns(pl.col("event").cast(pl.String)) if "event" in columns else frame


def _none() -> pl.DataFrame:
    return pl.DataFrame(schema=_TEXTS | {"timestamp": pl.Datetime("us", "UTC")})


def _moment(text: str) -> datetime:
    """Return when a round ended; of an older workdir the day alone is known, and it counts as its begin."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def day_of(uuid: str) -> str | None:
    """Return the UTC day that a uuid of version 7 carries; None of another version."""
    if len(uuid) != len("00000000-0000-7000-8000-000000000000") or uuid[14] != "7":
        return None
    days = int(uuid[:8] + uuid[9:13], 16) // _DAY
    return date.fromordinal(date(1970, 1, 1).toordinal() + days).isoformat() if days < _END else None
