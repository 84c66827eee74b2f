"""A chunk of rows → finished events, every row accounted for."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

import polars as pl

from migrate.jsontext.careful import MAX_DEPTH
from migrate.jsontext.parse import raw_object
from migrate.kit import events, expr
from migrate.kit.declare import FILE, PERSON, RECOVERED, REST, ROW, Options, Table
from migrate.kit.distinct import slim
from migrate.payload import checks, special
from migrate.payload.payloads import (
    MAX_RECORD_BYTES,
    Stamp,
    may_be_too_large,
    openings,
    payloads,
    stored_bytes,
    too_deep,
    too_large,
)
from migrate.people import states
from migrate.people.states import Told
from migrate.people.store import People
from migrate.readers.records import Chunk, Reject
from migrate.workdir.records import Numbers

NOT_WANTED: Final = "person_properties"
"""Under which name rows are counted that only tell of persons, where nothing is to be told of them."""
NOTHING_REJECTED: Final = pl.DataFrame(schema=special.REJECTS)


@dataclass(frozen=True, kw_only=True)
class Transform:
    """Rows of one table → finished events, under the user's options."""

    table: Table
    stamp: Stamp
    options: Options = field(default_factory=Options)
    since: datetime | None = None
    until: datetime | None = None
    file: str = ""
    """`FILE` of the rows, where they do not say it themselves."""
    people: People | None = None
    """What is known of persons and rows from all files."""
    profiled: bool = False
    """Whether any file tells of whole persons, so that it must be known until when a person was seen."""


@dataclass(frozen=True)
class Finished:
    """`frame`: timestamp, event, distinct_id, uuid, payload, row. `rejects`: lines for rejects.jsonl.

    `states`: what was told of persons and groups, see `migrate.states`.
    """

    frame: pl.DataFrame
    states: pl.DataFrame
    rejects: list[dict[str, Any]]
    numbers: Numbers


@dataclass(frozen=True)
class Made:
    """Finished events that come from no row, and what is counted of them."""

    frame: pl.DataFrame
    numbers: Numbers


def finished(chunk: Chunk, transform: Transform, now: datetime) -> Finished:
    """Return a chunk's rows as events ready to send; `now` is the time of planning, for the checks alone."""
    table, options, rows = transform.table, transform.options, _informed(chunk.rows, transform)
    numbers = Numbers(read=rows.height + len(chunk.rejects), repairs=Counter(chunk.counts))
    numbers.rejected.update(reject.reason for reject in chunk.rejects)
    numbers.warnings.update(_counted(rows, table.warnings))
    _note_float_like(rows, table.ids, numbers)
    rows, all_rows = _filtered(rows, transform, numbers), rows
    frame = _slim(table.to_events(rows.lazy(), options).collect())
    if transform.people and transform.people.is_shared and table.resolve is None:
        persons = transform.people.persons(frame["distinct_id"])
        frame = frame.with_columns(pl.coalesce(persons, "distinct_id").alias("distinct_id"))
    # A filter of events is none of persons and groups: what a row says of them is told, though it is no event.
    told = states.told(all_rows.lazy(), table, options, transform.people)
    told, beside = (
        _apart(told, rows, transform) if rows.height < all_rows.height else (told, told.frame.clear())
    )
    frame, news = _within([frame, told.frame], transform, numbers)
    if options.person_properties == "none":
        frame = _not_about_persons(frame, [news, told.rejects], numbers)
    left_out = sum(numbers.filtered[name] for name in ("before_since", "after_until", NOT_WANTED))
    numbers.filtered[_why_no_event(table, options)] += (
        rows.height - _rows(frame, news, told.rejects) - left_out
    )
    made, rejects = judged(frame, transform, now, numbers, told.rejects)
    rejects = _with_times(rejects, rows, table)
    news = news.filter(~pl.col(ROW).is_in(rejects[ROW].implode())) if rejects.height else news
    mapped = _rows(made, news)
    fine = frame.filter(pl.col(ROW).is_in(made[ROW].implode())) if rejects.height else frame
    more = [beside, states.groups_seen(fine)]
    if options.person_properties != "none":
        more.append(states.places(fine))
    if transform.profiled:
        more.append(states.seen(made))
    news = pl.concat([news, *more])
    numbers.rejected.update(rejects["reason"].to_list())
    numbers.mapped = mapped
    numbers.filtered = +numbers.filtered
    numbers.warnings.update(told.warnings)
    lines = [*_unread(chunk.rejects), *_rejected(rejects, rows, table)]
    for line in lines[:20]:
        numbers.examples.setdefault(line["reason"], []).append(str(line["row"]))
    return Finished(made.rename({ROW: "row"}), news, lines, numbers)


def judged(
    frame: pl.DataFrame, transform: Transform, now: datetime, numbers: Numbers, before: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return an event frame's events ready to send, and the rejects, with those from `before`, one a row."""
    verdict = checks.checked(frame, now)
    options = transform.options
    made = payloads(verdict.frame, transform.table, transform.stamp, options.person_properties)
    kept, unfit = _fitting(made.frame)
    rejects = pl.concat([before, verdict.rejects, made.rejects, unfit])
    if before.height:
        rejects = rejects.unique(ROW, keep="first", maintain_order=True)
        kept = kept.filter(~pl.col(ROW).is_in(before[ROW].implode()))
    numbers.repairs.update(verdict.repairs + made.repairs)
    numbers.warnings.update(verdict.warnings + made.warnings)
    numbers.names.update(dict(kept["event"].value_counts().iter_rows()))
    numbers.group_types |= _group_types(verdict.frame)
    return kept, rejects


def _slim(frame: pl.DataFrame) -> pl.DataFrame:
    """Return an event frame whose `extra` takes no room for what it does not hold."""
    extra = frame["extra"]
    if not isinstance(extra.dtype, pl.Struct):
        return frame
    return frame.with_columns_seq(slim(extra.struct.unnest()).to_struct("extra"))


def _informed(rows: pl.DataFrame, transform: Transform) -> pl.DataFrame:
    """Return the rows with what the framework knows of them: their file, their person, what other files say."""
    table, people = transform.table, transform.people
    known = {}
    if people and table.resolve is not None:
        known[PERSON] = people.persons(rows.select_seq(table.resolve.cast(pl.String)).to_series())
    if people and table.recover is not None:
        known[RECOVERED] = people.recovered(rows.select_seq(table.recover.cast(pl.String)).to_series())
    nothing = pl.lit(None, pl.String)
    file = [] if FILE in rows.columns else [pl.lit(transform.file).alias(FILE)]
    return rows.with_columns_seq(
        *file, *(known.get(name, nothing).alias(name) for name in (PERSON, RECOVERED))
    )


def _rows(*frames: pl.DataFrame) -> int:
    """Return how many rows there are something of."""
    return pl.concat([frame[ROW] for frame in frames]).n_unique()


def _counted(rows: pl.DataFrame, rules: Any) -> dict[str, int]:  # noqa: ANN401 - names to predicates
    """Return how many rows each predicate holds for."""
    if not rules or not rows.height:
        return {}
    found = rows.select_seq(rule.fill_null(False).sum().alias(name) for name, rule in rules.items())
    return {name: int(count) for name, count in found.row(0, named=True).items() if count}


def _with_times(rejects: pl.DataFrame, rows: pl.DataFrame, table: Table) -> pl.DataFrame:
    """Return the rejects, those of rows without a time that have one which cannot be read with what they have."""
    names = [name for name in table.times if name in rows.columns]
    if not names or not (rejects["reason"] == "no_timestamp").any():
        return rejects
    found = rows.select_seq(ROW, expr.first(*map(pl.col, names)).alias("found"))
    is_bad = (pl.col("reason") == "no_timestamp") & pl.col("found").is_not_null()
    return rejects.join(found, on=ROW, how="left", maintain_order="left").select_seq(
        ROW,
        pl.when(is_bad).then(pl.lit("bad_timestamp")).otherwise("reason").alias("reason"),
        pl.when(is_bad).then("found").otherwise("value").alias("value"),
    )


def _note_float_like(rows: pl.DataFrame, ids: Iterable[str], numbers: Numbers) -> None:
    """Count the rows with an id like `123.0`, which may be the `123` of others and is kept as it is."""
    texts = [pl.col(name) for name in ids if name in rows.columns]
    if not texts or not rows.height:
        return
    found = rows.filter(pl.any_horizontal(text.str.contains(r"^-?\d+\.0+$") for text in texts))
    if found.height:
        numbers.warnings["float_like_id"] += found.height
        numbers.examples["float_like_id"] = [str(found[ROW][0])]


def _filtered(rows: pl.DataFrame, transform: Transform, numbers: Numbers) -> pl.DataFrame:
    """Return the rows no filter holds for; the first filter that holds names the others."""
    options = transform.options
    rules = {
        name: rule if isinstance(rule, pl.Expr) else rule(options)
        for name, rule in transform.table.filters.items()
        if name not in options.keep
    }
    if not rules:
        return rows
    reason = pl.coalesce([pl.when(rule.fill_null(False)).then(pl.lit(name)) for name, rule in rules.items()])
    marked = rows.with_columns_seq(reason.alias("_filter"))
    counts = marked["_filter"].drop_nulls().value_counts()
    numbers.filtered.update(dict(counts.iter_rows()))
    for name, number in (
        marked.select_seq("_filter", ROW).drop_nulls().unique("_filter", keep="first").iter_rows()
    ):
        numbers.examples[name] = [str(number)]
    return marked.filter(pl.col("_filter").is_null()).drop("_filter")


def _apart(told: Told, rows: pl.DataFrame, transform: Transform) -> tuple[Told, pl.DataFrame]:
    """Return what these rows tell, and what others do that are filtered, within `since` and `until`."""
    is_kept = pl.col(ROW).is_in(rows[ROW].implode())
    others = told.frame.filter(~is_kept)
    inside = _within([others], transform, Numbers())[0]
    return replace(told, frame=told.frame.filter(is_kept), rejects=told.rejects.filter(is_kept)), inside


def _within(frames: Sequence[pl.DataFrame], transform: Transform, numbers: Numbers) -> list[pl.DataFrame]:
    """Return what is told of rows from `since` until before `until`; what has no time is."""
    kept = list(frames)
    bounds = {"before_since": transform.since, "after_until": transform.until}
    for name, bound in bounds.items():
        if bound is None:
            continue
        time = pl.col("timestamp")
        is_outside = time < bound if name == "before_since" else time >= bound
        outside = pl.concat([frame.filter(is_outside)[ROW] for frame in kept]).unique()
        numbers.filtered[name] += outside.len()
        kept = [frame.filter(~pl.col(ROW).is_in(outside.implode())) for frame in kept]
    return kept


def _not_about_persons(frame: pl.DataFrame, beside: Sequence[pl.DataFrame], numbers: Numbers) -> pl.DataFrame:
    """Return the events without those that only tell of persons, of whom the user wants nothing to be told."""
    is_about = (pl.col("event") == "$set").fill_null(value=False)
    kept = frame.filter(~is_about)
    numbers.filtered[NOT_WANTED] += _rows(frame, *beside) - _rows(kept, *beside)
    return kept


def _why_no_event(table: Table, options: Options) -> str:
    """Return under which name a row that makes nothing is counted."""
    is_about_persons = table.to_profiles is not None and table.to_events is events.none
    return NOT_WANTED if is_about_persons and options.person_properties == "none" else "no_event"


def _fitting(frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the events PostHog can store, and the rejects that it cannot for their size or depth."""
    size, opened = frame.select_seq(
        pl.col("payload").str.len_bytes().max().alias("size"),
        openings(pl.col("payload")).max().alias("opened"),
    ).row(0)
    if not may_be_too_large(size or 0) and (opened or 0) <= MAX_DEPTH:
        return frame, pl.DataFrame(schema=special.REJECTS)
    deep = too_deep(frame["payload"])
    reason = pl.when(too_large()).then(pl.lit("too_large")).when(pl.lit(deep)).then(pl.lit("nested_too_deep"))
    judged = frame.with_columns_seq(reason.alias("reason"))
    bad = judged.filter(pl.col("reason").is_not_null())
    found = (
        pl.when(pl.col("reason") == "too_large")
        .then(pl.format(f"{{}} bytes as PostHog stores it, the limit is {MAX_RECORD_BYTES}", stored_bytes()))
        .otherwise(pl.lit(f"deeper than {MAX_DEPTH} levels"))
    )
    rejects = bad.select_seq(ROW, "reason", found.alias("value")).unique(
        ROW, keep="first", maintain_order=True
    )
    kept = judged.drop("reason")
    if bad.height:
        kept = kept.filter(~pl.col(ROW).is_in(rejects[ROW].implode()))
    return kept, rejects


def _group_types(frame: pl.DataFrame) -> set[str]:
    """Return the group types that occur; PostHog knows five at most (posthog-ingestion.md §3.8)."""
    groups = frame["groups"].drop_nulls()
    if isinstance(groups.dtype, pl.Struct):
        return {f.name for f in groups.dtype.fields if groups.struct.field(f.name).is_not_null().any()}
    return {key for text in groups.unique() for key in raw_object(text)}


def _unread(rejects: list[Reject]) -> Iterator[dict[str, Any]]:
    """Yield the lines of what the reader could not read."""
    for reject in rejects:
        line: dict[str, object] = {"row": reject.row, "reason": reject.reason, "value": reject.value}
        yield line if reject.why is None else line | {"why": reject.why}


def _rejected(rejects: pl.DataFrame, rows: pl.DataFrame, table: Table) -> Iterator[dict[str, Any]]:
    """Yield the lines of rejected rows, each with the row itself, so that it can be mended and planned again."""
    if not rejects.height:
        return
    sources = rows.filter(pl.col(ROW).is_in(rejects[ROW].implode()))
    by_row = {row[ROW]: row for row in sources.iter_rows(named=True)}
    for number, reason, value in rejects.sort(ROW).iter_rows():
        shown = None if value is None else value[:500]
        yield {"row": number, "reason": reason, "value": shown, "source": source(by_row[number], table)}


def source(row: dict[str, Any], table: Table) -> dict[str, Any]:
    """Return a row as its file had it: declared columns and the rest, as JSON text (`msgspec.Raw`), without nulls."""
    rest = raw_object(row.get(REST) or "{}")
    known = {name: value for name, value in row.items() if value is not None and name in table.columns}
    return known | rest
