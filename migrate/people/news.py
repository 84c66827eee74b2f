"""States that were not told before → `$set` and `$groupidentify` events, once all events are planned.

Of all that is told of a person, the latest is planned after the last event of that history; of a group, whatever
differs from what was told before, and that there is one (`group_news`).

Nights tell what one run over all files would: a state counts by its own time, whenever it comes. PostHog takes what
it is sent last (posthog-ingestion.md §3.6), so an event that tells of a person is never before the one that told last,
and what is older than what was told fills in at the most (`$set_once`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from migrate.kit import events, expr, objects, schemas, uuids
from migrate.people.firsts import completed, first_seen, firsts_of, with_inherited
from migrate.people.group_news import group_news
from migrate.people.schema import Note
from migrate.people.statefiles import Buckets
from migrate.people.states import AT_ONCE, LAST, PERSON, PLACE_OF, PLACE_SEEN, STATE, order
from migrate.people.store import People
from migrate.people.told import Known, News, key_after, moment, numbered, of_kind, touches_of
from migrate.people.touches import Touches


def latest_news(buckets: Buckets, people: People, touches: Touches, end: datetime | None) -> Iterator[News]:
    """Yield the events of states that were not told before, some owners at a time: of persons, then of groups.

    A person's event has the time of their last event, or that of the state or of what was told last if it is later. A
    state as of the export has the time `end`; its event does where its person has no events.
    """
    for some in buckets.all():
        known = Known.of(some, touches, people)
        yield from (_persons if some["owner"][0].startswith(PERSON) else group_news)(known, end)


def _persons(known: Known, end: datetime | None) -> Iterator[News]:
    """Yield what is new of persons: their state, where they are, and how those first came who have no events."""
    state = _Latest.of(known, STATE, PERSON, end)
    place = _Latest.of(known, PLACE_SEEN, PLACE_OF, end)
    once = _once(known, end)
    frames = {"state": state.told, "place": place.told, "once": once}
    owners = pl.concat([frame.select("owner") for frame in frames.values()]).unique().sort("owner")
    for name, frame in frames.items():
        named = frame.rename({column: f"{name}_{column}" for column in frame.columns if column != "owner"})
        owners = owners.join(named, on="owner", how="left", maintain_order="left")
    found = owners.select_seq(
        "owner",
        pl.col("owner").str.slice(1).alias("distinct_id"),
        pl.max_horizontal(f"{name}_timestamp" for name in frames).alias("timestamp"),
        objects.completed(pl.col("state_told"), pl.col("place_told")).alias("set"),
        objects.completed(pl.col("once_told"), pl.col("state_fills")).alias("set_once"),
        (pl.col("state_times").fill_null(0) + pl.col("place_times").fill_null(0)).alias("times"),
    ).with_columns_seq(
        uuids.digest(*(expr.canonical(pl.col(name)) for name in ("set", "set_once"))).alias("digest")
    )
    told_at = found.select_seq("owner", "timestamp")
    notes = [*state.notes(told_at), *place.notes(told_at)]
    came = touches_of(once, "timestamp")
    for some in found.iter_slices(AT_ONCE):
        yield News(_set(numbered(some)).collect(), notes, came)
        notes, came = [], []
    if notes:
        yield News(_set(numbered(found.clear())).collect(), notes)


def _once(known: Known, end: datetime | None) -> pl.DataFrame:
    """Return how those first came who have no events: `owner`, `timestamp`, `told`."""
    came = firsts_of(known.bucket)
    others = [*first_seen(known.bucket)["owner"], *known.touched]
    came = came.filter(~pl.col("owner").is_in(others))
    return with_inherited(came, known.inherited, came["owner"]).select_seq(
        "owner", pl.col("once_time").fill_null(pl.lit(end, schemas.TIMESTAMP)).alias("timestamp"), "told"
    )


@dataclass(frozen=True)
class _Latest:
    """What is new of one kind, and the states, as `_said` returns them, that it is taken from.

    `told`: `owner`, `timestamp`, `told` (text of an object, and its `digest`), `fills` (text of one that tells what is
    not known), and `times`, on how many nights it was told of before.
    """

    told: pl.DataFrame
    said: pl.DataFrame
    mark: str

    @classmethod
    def of(cls, known: Known, what: str, mark: str, end: datetime | None) -> "_Latest":
        """Return what persons said last, where it was not told before and is no older than what its id said before.

        What is older than the newest that any of the person's ids said only fills in. A place is whole, and is told or
        not.
        """
        is_whole = what == PLACE_SEEN
        each = _said(known, what, mark, end, is_whole=is_whole)
        at, newest, own = pl.col("at"), pl.col("newest"), pl.col("own_own")
        is_newer = (newest.is_null() | (at >= newest)) & (own.is_null() | (at >= own))
        is_older = (at < newest) & (own.is_null() | (at > own))
        newer, older = each.filter(is_newer), each.filter(is_older)
        if is_whole:
            older = older.clear()
        # An id that said the same before, and was the last of the person's to say anything, says nothing new.
        is_same = (pl.col("digest") == pl.col("own_said")) & (own == newest)
        changed = newer.filter(is_same.not_().fill_null(value=True))["owner"].unique()
        now = _folded(newer.filter(pl.col("owner").is_in(changed.implode()))).filter(
            pl.col("digest").ne_missing(pl.col("known"))
        )
        fills = _folded(older)
        told = (
            pl.concat([now.with_columns_seq(pl.lit(None, pl.String).alias("fills")), _filling(fills)])
            .group_by("owner", maintain_order=True)
            .agg(
                pl.col("timestamp").max(),
                pl.col("told", "fills", "digest").drop_nulls().first(),
                pl.col("times").first(),
            )
            .sort("owner")
        )
        return cls(told, pl.concat([newer, older]), mark)

    def notes(self, told_at: pl.DataFrame) -> list[Note]:
        """Return what is to be noted; `told_at`: `owner` and the `timestamp` of the event that tells."""
        told = self.told.select_seq("owner", "digest").join(told_at, on="owner", maintain_order="left")
        return _notes(self.said, told, self.mark)


def _said(known: Known, what: str, mark: str, end: datetime | None, *, is_whole: bool) -> pl.DataFrame:
    """Return what each id said last, in order, with what is noted of it (`own_…`) and of its person (`told.NOTED`).

    `at`: when it said so, in microseconds. `timestamp`: the earliest time of an event that tells it.
    """
    seen = known.bucket.filter((pl.col("what") == LAST) & pl.col("owner").str.starts_with(PERSON))
    seen = seen.group_by("owner").agg(pl.col("timestamp").max().alias("last"))
    states = of_kind(known.bucket, what)
    if is_whole:
        states = states.with_columns_seq(pl.col("owner").str.slice(1).alias("distinct_id"))
    states = states.unique(["owner", "distinct_id"], keep="last", maintain_order=True).sort(*order())
    states = states.with_columns_seq(pl.concat_str(pl.lit(PERSON), "distinct_id").alias("id"))
    noted = known.of_persons(mark).drop("names")
    of_id = noted.rename({name: f"own_{name}" for name in noted.columns if name != "owner"})
    exported = pl.lit(end, schemas.TIMESTAMP)
    return (
        states.join(seen, on="owner", how="left", maintain_order="left")
        .join(noted, on="owner", how="left", maintain_order="left")
        .join(of_id.rename({"owner": "id"}), on="id", how="left", maintain_order="left")
        .with_columns_seq(
            pl.coalesce("timestamp", exported, "last").dt.epoch("us").alias("at"),
            pl.max_horizontal(
                pl.max_horizontal("timestamp", "last").fill_null(exported), moment("told_time")
            ).alias("timestamp"),
            uuids.digest(expr.canonical(pl.col("told"))).alias("digest"),
        )
    )


def _folded(said: pl.DataFrame) -> pl.DataFrame:
    """Return what persons said last: `owner`, `timestamp`, `told` and its `digest`, `known`, `times`.

    What ids that were merged into a person's said last completes it, as PostHog keeps it when it merges them.
    """
    last = said.unique("owner", keep="last", maintain_order=True)
    last = last.select_seq("owner", "timestamp", "told", "known", "times", "digest")
    several = said.filter(pl.len().over("owner") > 1)
    texts: dict[str, str] = {}
    for owner, text in several.select("owner", "told").iter_rows():
        texts[owner] = completed(text, texts[owner]) if owner in texts else text
    if not texts:
        return last
    whole = pl.col("owner").replace_strict(texts, default=None, return_dtype=pl.String)
    return last.with_columns_seq(
        pl.coalesce(whole, "told").alias("told"),
        pl.when(whole.is_null())
        .then(pl.col("digest"))
        .otherwise(uuids.digest(expr.canonical(whole)))
        .alias("digest"),
    )


def _filling(fills: pl.DataFrame) -> pl.DataFrame:
    """Return what only fills in beside what is told."""
    nothing = pl.lit(None, pl.String)
    return fills.with_columns_seq(
        pl.col("told").alias("fills"), nothing.alias("told"), nothing.alias("digest")
    ).select_seq("owner", "timestamp", "told", "known", "times", "digest", "fills")


def _notes(said: pl.DataFrame, told: pl.DataFrame, mark: str) -> list[Note]:
    """Return what is to be noted of the persons of these states, and of the ids that said them."""
    times = pl.col("times").fill_null(0)
    persons = (
        said.group_by("owner", maintain_order=True)
        .agg(pl.col("at").max(), pl.col("told_time", "known", "newest", "own", "said", "times").first())
        .join(
            told.select_seq("owner", pl.col("timestamp").dt.epoch("us").alias("now"), "digest"),
            on="owner",
            how="left",
            maintain_order="left",
        )
        .select_seq(
            pl.col("owner").alias("id"),
            pl.coalesce("now", "told_time").alias("time"),
            pl.coalesce("digest", "known", pl.lit("")).alias("digest"),
            pl.max_horizontal("at", "newest").alias("newest"),
            "own",
            "said",
            pl.when(pl.col("now").is_null()).then(times).otherwise(times + 1).alias("times"),
        )
    )
    ids = said.select_seq(
        "id",
        pl.coalesce("own_told_time", pl.col("timestamp").dt.epoch("us")).alias("time"),
        pl.coalesce("own_known", pl.lit("")).alias("digest"),
        pl.max_horizontal("at", "own_newest").alias("newest"),
        pl.col("at").alias("own"),
        pl.col("digest").alias("said"),
        pl.col("own_times").fill_null(0).alias("times"),
    )
    both = persons.join(ids, on="id", how="full", coalesce=True, maintain_order="left_right", suffix="_of_id")
    rows = both.select_seq(
        pl.concat_str(pl.lit(mark), pl.col("id").str.slice(1)),
        *(pl.coalesce(name, f"{name}_of_id") for name in ("time", "digest", "newest")),
        *(pl.coalesce(f"{name}_of_id", name) for name in ("own", "said")),
        pl.coalesce("times", "times_of_id"),
    )
    return [Note(*row) for row in rows.iter_rows()]


def _set(states: pl.LazyFrame) -> pl.LazyFrame:
    """Return a `$set` event for each person; of one who was told of before it is another event each time."""
    return events.events(
        states,
        event=pl.lit("$set"),
        distinct_id=pl.col("distinct_id"),
        timestamp=pl.col("timestamp"),
        dedup_key=key_after(pl.lit("profile"), pl.col("owner"), pl.col("digest")),
        set=pl.col("set"),
        set_once=pl.col("set_once"),
    )
