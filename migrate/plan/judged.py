"""An event frame → payloads ready to send, and rejects for what PostHog would refuse or could not store."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import polars as pl

from migrate.jsontext.careful import MAX_DEPTH
from migrate.jsontext.parse import raw_object
from migrate.kit.declare import ROW
from migrate.kit.schemas import typed
from migrate.payload import checks, special
from migrate.payload.losses import losses
from migrate.payload.payloads import MAX_RECORD_BYTES, large, may_be_large, openings, payloads, too_deep
from migrate.plan.transform import Transform
from migrate.rules.bags import IS_ID
from migrate.workdir.records import Numbers

NOTHING_REJECTED: Final = pl.DataFrame(schema=special.REJECTS)


@dataclass(frozen=True)
class Made:
    """Finished events that come from no row, and what is counted of them."""

    frame: pl.DataFrame
    numbers: Numbers


def judged(
    frame: pl.DataFrame, transform: Transform, now: datetime, numbers: Numbers, before: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return an event frame's events ready to send, and the rejects, with those from `before`, one a row.

    The frame is as large as the payloads: whoever holds it no longer when it is given has room for those.
    """
    checked = checks.check(typed(frame), now)
    rejected, repairs, warnings, fine = checked.rejects, checked.repairs, checked.warnings, [checked.frame]
    del frame, checked
    options = transform.options
    ruling = transform.ruling
    numbers.group_types |= {
        kind for kind in _group_types(fine[0]) if ruling is None or not ruling.bags.fates.is_personal(kind)
    }
    made = payloads(
        fine.pop(),
        transform.table,
        transform.imprint,
        options.person_properties,
        None if ruling is None else ruling.ruled,
    )
    events = made.frame
    if before.height:
        events = events.filter(~pl.col(ROW).is_in(before[ROW].implode()))
    kept, unfit, large_ones = _fitting(events)
    rejects = pl.concat([before, rejected, made.rejects, unfit])
    if before.height:
        rejects = rejects.unique(ROW, keep="first", maintain_order=True)
    if IS_ID in made.repairs:
        made.warnings[IS_ID] += made.repairs.pop(IS_ID)
    numbers.repairs.update(repairs + made.repairs)
    numbers.warnings.update(warnings + made.warnings)
    for reason, row in made.examples.items():
        numbers.examples.setdefault(reason, []).append(str(row))
    for reason, rows in (large_ones | losses(kept)).items():
        numbers.warnings[reason] += rows.len()
        numbers.examples.setdefault(reason, []).append(str(rows[0]))
    return kept, rejects


def _fitting(frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, pl.Series]]:
    """Return the events PostHog can store, the rejects that it cannot for their size or depth, and what are large ones.

    The large ones are told as `losses` tells what it finds.
    """
    size, opened = frame.select_seq(
        pl.col("payload").str.len_bytes().max().alias("size"),
        openings(pl.col("payload")).max().alias("opened"),
    ).row(0)
    if not may_be_large(size or 0) and (opened or 0) <= MAX_DEPTH:
        return frame, pl.DataFrame(schema=special.REJECTS), {}
    deep, sizes = too_deep(frame["payload"]), large(frame)
    reason = (
        pl.when(pl.lit(sizes) >= MAX_RECORD_BYTES)
        .then(pl.lit("too_large"))
        .when(pl.lit(deep))
        .then(pl.lit("nested_too_deep"))
    )
    judged = frame.with_columns_seq(reason.alias("reason"), sizes.alias("size"))
    bad = judged.filter(pl.col("reason").is_not_null())
    found = (
        pl.when(pl.col("reason") == "too_large")
        .then(pl.format(f"{{}} bytes as PostHog stores it, the limit is {MAX_RECORD_BYTES}", "size"))
        .otherwise(pl.lit(f"deeper than {MAX_DEPTH} levels"))
    )
    rejects = bad.select_seq(ROW, "reason", found.alias("value")).unique(
        ROW, keep="first", maintain_order=True
    )
    kept = judged
    if bad.height:
        kept = kept.filter(~pl.col(ROW).is_in(rejects[ROW].implode()))
    large_ones = kept.filter(pl.col("size").is_not_null())[ROW]
    return kept.drop("reason", "size"), rejects, {"large_event": large_ones} if large_ones.len() else {}


def _group_types(frame: pl.DataFrame) -> set[str]:
    """Return the group types that occur; PostHog knows five at most (posthog-ingestion.md §3.8)."""
    groups = frame["groups"].drop_nulls()
    if isinstance(groups.dtype, pl.Struct):
        return {f.name for f in groups.dtype.fields if groups.struct.field(f.name).is_not_null().any()}
    return {key for text in groups.unique() for key in raw_object(text)}
