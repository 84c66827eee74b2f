"""A chunk of rows → finished events, every row accounted for."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Any, Final

import polars as pl

from migrate.kit import events, expr, objects
from migrate.kit.declare import AGAIN, FILE, PERSON, POSITION, RECOVERED, ROW, Table
from migrate.kit.distinct import slim
from migrate.kit.schemas import typed
from migrate.people.observed import groups_seen, sighted, states_in, when_seen, where_seen
from migrate.plan.filters import (
    NOT_IN_A_TRIAL,
    NOT_WANTED,
    Taken,
    apart,
    by_rules,
    count_rows,
    filtered,
    within,
    without_persons,
    without_tellings,
)
from migrate.plan.joined import NOT_FOUND
from migrate.plan.judged import judged
from migrate.plan.lines import in_order, rejected_rows, unread
from migrate.plan.looked import dated
from migrate.plan.transform import Transform
from migrate.readers.records import Chunk
from migrate.rules.bags import PREFIX
from migrate.workdir.looks import Look
from migrate.workdir.records import Numbers

ODD_IDS: Final = {
    "float_like_id": r"^-?\d+\.0+$",
    "json_id": r"""^\s*(?:\[\s*["{\[\d-].*\]|\{\s*".*\})\s*$""",
}
"""What ids may look like that programs made of something else: a number, a list, an object."""


@dataclass(frozen=True)
class Finished:
    """`frame`: timestamp, event, distinct_id, uuid, payload, row. `rejects`: lines for rejects.jsonl.

    `states`: what rows and events tell of persons and groups, see `people.states`.
    """

    frame: pl.DataFrame
    states: pl.DataFrame
    rejects: list[dict[str, Any]]
    numbers: Numbers
    taken: Taken
    """Which rows the rules left out that name them; a row that tells nothing at all is in none."""
    look: Look
    """On which days the rows lie."""


def finished(chunk: Chunk, transform: Transform, now: datetime) -> Finished:
    """Return a chunk's rows as events ready to send; `now` is the time of planning, for the checks alone."""
    table, options, rows = transform.table, transform.options, informed(chunk.rows, transform)
    numbers = Numbers(read=rows.height + len(chunk.rejects), repairs=Counter(chunk.counts))
    for name in [name for name in chunk.counts if name.startswith(NOT_FOUND)]:
        numbers.warnings[name] = numbers.repairs.pop(name)
    numbers.rejected.update(reject.reason for reject in chunk.rejects)
    numbers.warnings.update(_counted(rows, table.warnings))
    _note_odd_ids(rows, table.ids, numbers)
    taken: Taken = {}
    rows, all_rows = filtered(rows, transform, numbers, taken), rows
    frame = _slim(table.to_events(rows.lazy(), options).collect())
    look = dated(frame, all_rows, rows, transform)
    look.undated += len(chunk.rejects)
    if transform.people and transform.people.is_shared and table.resolve is None:
        persons = transform.people.persons(frame["distinct_id"])
        frame = frame.with_columns(pl.coalesce(persons, "distinct_id").alias("distinct_id"))
    # A filter of events is none of persons and groups: what a row says of them is observed, though it is no event.
    observed = states_in(all_rows.lazy(), table, options, transform.people)
    observed, beside = (
        apart(observed, rows, transform, numbers)
        if rows.height < all_rows.height
        else (observed, observed.frame.clear())
    )
    frame, news = within([frame, observed.frame], transform, numbers, taken)
    if transform.ruling is not None:
        frame, news = by_rules([frame, news], observed.rejects, transform.ruling, numbers, taken)
    if not transform.tells:
        frame, news = without_tellings(frame, news, observed.rejects, numbers, taken)
    elif options.person_properties == "none":
        frame = without_persons(frame, [news, observed.rejects], numbers, taken)
    named = {"before_since", "after_until", NOT_WANTED, NOT_IN_A_TRIAL}
    left_out = sum(
        count for name, count in numbers.filtered.items() if name in named or name.startswith(PREFIX)
    )
    numbers.filtered[why_no_event(table, transform)] += (
        rows.height - count_rows(frame, news, observed.rejects) - left_out
    )
    del rows  # as large as the payloads, which are made now
    sightings, events = sighted(frame), [frame]
    del frame  # so is it, and who makes them holds it no longer than they need it
    made, rejects = judged(events.pop(), transform, now, numbers, observed.rejects)
    rejects = _with_times(rejects, all_rows, table)
    news = news.filter(~pl.col(ROW).is_in(rejects[ROW].implode())) if rejects.height else news
    mapped = count_rows(made, news)
    if rejects.height:
        sightings = sightings.filter(pl.col(ROW).is_in(made[ROW].implode()))
    more = _seen(sightings, made, beside, transform)
    if transform.ruling is not None:
        more = [transform.ruling.told(transform.ruling.imported(one), numbers.repairs) for one in more]
    news = pl.concat([news, *more])
    numbers.rejected.update(rejects["reason"].to_list())
    numbers.mapped = mapped
    numbers.filtered = +numbers.filtered
    numbers.warnings.update(observed.warnings)
    lines = in_order([*unread(chunk.rejects), *rejected_rows(rejects, all_rows, table)])
    for line in lines:
        numbers.add_example(line["reason"], str(line["row"]))
    return Finished(made.rename({ROW: "row"}), news, lines, numbers, taken, look)


def _seen(
    sightings: pl.DataFrame, made: pl.DataFrame, beside: pl.DataFrame, transform: Transform
) -> list[pl.DataFrame]:
    """Return what events tell of persons and groups by being there, as far as it is wanted."""
    more = [beside, groups_seen(sightings)] if transform.tells else []
    if transform.options.person_properties != "none":
        more.append(where_seen(sightings))
    if transform.profiled:
        more.append(when_seen(made))
    return more


def _slim(frame: pl.DataFrame) -> pl.DataFrame:
    """Return an event frame whose `extra` takes no room for what it does not hold."""
    frame = typed(frame)
    extra = frame["extra"]
    if not isinstance(extra.dtype, pl.Struct):
        return frame
    return frame.with_columns_seq(slim(extra.struct.unnest()).to_struct("extra"))


def informed(rows: pl.DataFrame, transform: Transform) -> pl.DataFrame:
    """Return the rows with what the framework knows of them: their file, their person, what other files say."""
    table, people = transform.table, transform.people
    known: dict[str, pl.Series | pl.Expr] = {}
    if people and table.resolve is not None:
        known[PERSON] = people.persons(rows.select_seq(table.resolve.cast(pl.String)).to_series())
    if people and table.recover_keys:
        found = [
            people.recovered(rows.select_seq(key.cast(pl.String)).to_series()) for key in table.recover_keys
        ]
        known[RECOVERED] = reduce(objects.completed, [pl.lit(texts) for texts in found])
    nothing = pl.lit(None, pl.String)
    given = {FILE: pl.lit(transform.file), POSITION: pl.lit(None, pl.Int64), AGAIN: pl.lit(None, pl.Boolean)}
    lacking = (one.alias(name) for name, one in given.items() if name not in rows.columns)
    return rows.with_columns_seq(
        *lacking, *(known.get(name, nothing).alias(name) for name in (PERSON, RECOVERED))
    )


def _counted(rows: pl.DataFrame, rules: Mapping[str, pl.Expr]) -> dict[str, int]:
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


def _note_odd_ids(rows: pl.DataFrame, ids: Iterable[str], numbers: Numbers) -> None:
    """Count the rows with ids that look odd and are kept as they are."""
    texts = [pl.col(name) for name in ids if name in rows.columns]
    if not texts or not rows.height:
        return
    for name, pattern in ODD_IDS.items():
        found = rows.filter(pl.any_horizontal(text.str.contains(pattern) for text in texts))
        if found.height:
            numbers.warnings[name] += found.height
            numbers.examples[name] = [str(found[ROW][0])]


def why_no_event(table: Table, transform: Transform) -> str:
    """Return under which name a row that makes nothing is counted."""
    is_about_persons = table.to_profiles is not None and table.to_events is events.none
    if not is_about_persons or transform.options.person_properties != "none":
        return "no_event"
    return NOT_WANTED if transform.tells else NOT_IN_A_TRIAL
