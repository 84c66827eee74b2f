"""Which rows and events are left out, and under which name they are counted."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import polars as pl

from migrate.kit.declare import ROW
from migrate.kit.distinct import rows_where
from migrate.people.observed import Observed
from migrate.plan.transform import Transform
from migrate.rules.bags import NOTHING_LEFT, PREFIX
from migrate.rules.frames import Ruling
from migrate.workdir.records import Numbers

Taken = dict[str, pl.Series]
"""Rule -> the rows that it left out, by `ROW`."""
NOT_WANTED: Final = "person_properties"
"""Under which name rows are counted that only tell of persons, where nothing is to be told of them."""
NOT_IN_A_TRIAL: Final = "not_in_a_trial"
"""Under which name rows are counted that tell of persons or groups, or of who is who, where a trial tells nothing."""
_TELLING: Final = ("$set", "$identify", "$create_alias", "$merge_dangerously", "$groupidentify")
"""Events that PostHog changes persons and groups by."""


def count_rows(*frames: pl.DataFrame) -> int:
    """Return how many different rows these frames are of."""
    return pl.concat([frame[ROW] for frame in frames]).n_unique()


def filtered(rows: pl.DataFrame, transform: Transform, numbers: Numbers, taken: Taken) -> pl.DataFrame:
    """Return the rows no filter holds for; the first filter that holds names the others, which join `taken`."""
    options = transform.options
    rules = {
        name: rule if isinstance(rule, pl.Expr) else rule(options)
        for name, rule in transform.table.filters.items()
        if name not in options.keep
    }
    if not rules:
        return rows
    reason = pl.coalesce([pl.when(rule.fill_null(False)).then(pl.lit(name)) for name, rule in rules.items()])
    marked = rows.select_seq(reason.alias("_filter"), ROW)
    left_out = marked.drop_nulls()
    for (name,), group in left_out.group_by("_filter", maintain_order=True):
        taken[str(name)] = group[ROW]
        numbers.filtered[str(name)] += group.height
        numbers.examples[str(name)] = [str(group[ROW][0])]
    return rows_where(rows, marked["_filter"].is_null()) if left_out.height else rows


def apart(
    observed: Observed, rows: pl.DataFrame, transform: Transform, numbers: Numbers
) -> tuple[Observed, pl.DataFrame]:
    """Return what these rows tell, and the states in [since, until) of the rows that were filtered out.

    Those have their name already: of how many of them something is outside is counted by itself.
    """
    is_kept = pl.col(ROW).is_in(rows[ROW].implode())
    others = observed.frame.filter(~is_kept)
    beyond = Numbers()
    inside = within([others], transform, beyond, {})[0]
    numbers.untold += beyond.filtered
    return replace(
        observed, frame=observed.frame.filter(is_kept), rejects=observed.rejects.filter(is_kept)
    ), inside


def within(
    frames: Sequence[pl.DataFrame], transform: Transform, numbers: Numbers, taken: Taken
) -> list[pl.DataFrame]:
    """Return what is in [since, until); rows of others join `taken`. What has no time is kept."""
    kept = list(frames)
    bounds = {"before_since": transform.since, "after_until": transform.until}
    for name, bound in bounds.items():
        if bound is None:
            continue
        time = pl.col("timestamp")
        is_outside = time < bound if name == "before_since" else time >= bound
        outside = pl.concat([frame.filter(is_outside)[ROW] for frame in kept]).unique()
        numbers.filtered[name] += outside.len()
        taken[name] = outside
        kept = [frame.filter(~pl.col(ROW).is_in(outside.implode())) for frame in kept]
    return kept


def by_rules(
    frames: Sequence[pl.DataFrame], rejects: pl.DataFrame, ruling: Ruling, numbers: Numbers, taken: Taken
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the events and the states, which `frames` are, that the user's own rules let through, as they want them.

    Rows of which nothing is left, here or in `rejects`, join `taken` under the first rule that left any of it out.
    """
    frame, news = frames
    gone: dict[str, pl.Series] = {}
    for name, is_out in ruling.events_out():
        out = is_out(frame).fill_null(value=False)
        gone[name], frame = frame.filter(out)[ROW], frame.filter(~out)
    imported = ruling.imported(news)
    never = f"{PREFIX}never_import"
    if never in gone:
        gone[never] = pl.concat([gone[never], news.filter(~pl.col(ROW).is_in(imported[ROW].implode()))[ROW]])
    told = ruling.told(imported, numbers.repairs)
    gone[NOTHING_LEFT] = imported[ROW]
    left = pl.concat([one[ROW] for one in (frame, told, rejects)])
    for name, rows in gone.items():
        whole = rows.filter(~rows.is_in(left.implode())).unique(maintain_order=True)
        if whole.len():
            taken[name], left = whole, pl.concat([left, whole])
            numbers.filtered[name] += whole.len()
            numbers.examples.setdefault(name, [str(whole[0])])
    return ruling.renamed(frame), told


def without_persons(
    frame: pl.DataFrame, beside: Sequence[pl.DataFrame], numbers: Numbers, taken: Taken
) -> pl.DataFrame:
    """Return the events without those that only tell of persons, of whom the user wants nothing to be told.

    Rows of which nothing is left, here or `beside`, join `taken`.
    """
    is_about = (pl.col("event") == "$set").fill_null(value=False)
    kept = frame.filter(~is_about)
    left = pl.concat([one[ROW] for one in (kept, *beside)]).implode()
    taken[NOT_WANTED] = frame.filter(is_about & ~pl.col(ROW).is_in(left))[ROW].unique()
    numbers.filtered[NOT_WANTED] += taken[NOT_WANTED].len()
    return kept


def without_tellings(
    frame: pl.DataFrame, news: pl.DataFrame, rejects: pl.DataFrame, numbers: Numbers, taken: Taken
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the events without those that change persons and groups, or merge them, and no news: so a trial is.

    Rows of which nothing is left, here or in `rejects`, join `taken`.
    """
    kept = _uncalled(frame, _TELLING)
    left = pl.concat([one[ROW] for one in (kept, rejects)]).implode()
    gone = pl.concat([one.select(ROW) for one in (frame, news)]).filter(~pl.col(ROW).is_in(left))
    taken[NOT_IN_A_TRIAL] = gone[ROW].unique()
    numbers.filtered[NOT_IN_A_TRIAL] += taken[NOT_IN_A_TRIAL].len()
    return kept, news.clear()


def _uncalled(frame: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Return the events that are not called so."""
    return frame.filter(~pl.col("event").is_in(list(names)).fill_null(value=False))
