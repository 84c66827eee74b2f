"""Whose events Mixpanel's are, and who is who, as events and identity verbs tell it."""

from collections.abc import Iterator

import polars as pl

from mappings._mixpanel_ids import DEVICE, id_list, identifier, is_device, user
from mappings._mixpanel_shapes import CLOCK, REPLAYS, TOLD, VERBS, Shape, key, prop, time, told
from migrate.kit import expr, links
from migrate.kit.declare import PERSON, Options


def person(options: Options) -> pl.Expr:
    """Return whose event it is.

    `$user_id` is the person, or else what the user says is; the distinct_id may be that of an anonymous device that
    Mixpanel chose to stand for all of a person's ids, which `PERSON` knows. A word that is no one's is left as it is,
    where there is nothing else.
    """
    if options.uuid_compat:
        return worker_person()
    stands = [user_of(pl.col("_chosen")), pl.col(PERSON), pl.col("_key")]
    others = [identifier(told(name)) for name in ("$distinct_id_before_identity", "$device_id")]
    return pl.coalesce(*stands, *others, prop("distinct_id"))


def user_of(chosen: pl.Expr) -> pl.Expr:
    """Return the id of the user, as the row itself says it or in the property that the user names."""
    return pl.coalesce(user(told("$user_id")), user(chosen))


def no_one() -> pl.Expr:
    """Return an id for an event of no one, for that event alone."""
    return expr.id_of_no_one("mixpanel", pl.col("_time"), pl.col("_dedup"), where=pl.col("_who").is_null())


def worker_person() -> pl.Expr:
    """Return whom PostHog's managed migration sends the event under, for `--uuid-compat`.

    PostHog tells events apart by name, distinct_id, day and uuid, so the uuid alone makes nothing collapse. The rule
    is that of PostHog's batch-import-worker, `content/mixpanel.rs`, as read in autumn 2026.
    """
    given, before = (
        pl.when(told(n) != "").then(told(n)) for n in ("distinct_id", "$distinct_id_before_identity")
    )
    device = given.str.starts_with(DEVICE) | (
        given.str.contains(r"^[A-Z0-9-]+$") & given.str.contains("[A-Z]")
    )
    chosen = pl.when(device.fill_null(value=True)).then(pl.coalesce(before, given)).otherwise(given)
    return pl.coalesce(chosen, prop("$user_id"), prop("$device_id"), key(pl.col("_told")))


def to_links(rows: pl.LazyFrame, options: Options, shape: Shape) -> pl.LazyFrame:
    """Return who is who, as events and identity verbs tell it.

    A row with a user and a device links them; one exported under an id that is neither is exported under the id that
    stands for all of the person's, and what was taken in under another id is that person's too. Where the one id is a
    device's by its shape and the other is not, the other is the person's. For `--uuid-compat`
    events keep the ids of the managed migration, so that merges must do what resolution does otherwise. Of rows that
    name the same ids the first is enough.
    """
    who = [name for name in TOLD if name not in {*CLOCK, "$insert_id", "mp_original_event_name"}]
    name = shape.name(options)
    alike = (
        rows.with_columns_seq(shape.struct(TOLD), pl.when(name.is_in(VERBS)).then(name).alias("_name"))
        .select_seq(
            "_name",
            shape.chosen(options).alias("_chosen"),
            time(shape, options).alias("_time"),
            *(told(name).alias(f"_{name}") for name in who),
        )
        .filter(pl.col("_time").is_not_null())
        .group_by("_name", "_chosen", *(f"_{name}" for name in who), maintain_order=True)
        .agg(pl.col("_time").min())
    )
    known = (
        alike.with_columns_seq(pl.struct(pl.col(f"_{name}").alias(name) for name in who).alias("_told"))
        .with_columns_seq(
            user_of(pl.col("_chosen")).alias("_user"),
            identifier(told("$device_id")).alias("_device"),
            (worker_person() if options.uuid_compat else key(pl.col("_told"))).alias("_key"),
            identifier(told("$distinct_id_before_identity")).alias("_before"),
        )
        .select_seq("_told", "_name", "_time", "_user", "_device", "_key", "_before")
        .collect()  # once, for all that is told below
        .lazy()
    )
    is_verb = pl.col("_name").is_in(VERBS).fill_null(value=False)
    mine = compatible(known.filter(~is_verb)) if options.uuid_compat else exported(known.filter(~is_verb))
    return links.concat([*mine, *verbs(known.filter(is_verb))])


def exported(rows: pl.LazyFrame) -> Iterator[pl.LazyFrame]:
    """Yield the links that events tell."""
    known, device, own, before = (pl.col(name) for name in ("_user", "_device", "_key", "_before"))
    when = pl.col("_time")
    stands = rows.filter((own != known) & ~prop("distinct_id").str.starts_with(DEVICE))
    apart = rows.filter(before != own).with_columns_seq(of_a_device().alias("_is_device"))
    yield links.linked(
        rows, anonymous=device, identified=known, time=when, why="user and device on one event"
    )
    yield of_no_one(rows, "$device_id", "$user_id")
    yield links.resolved(stands, key=own, person=known, time=when, why="exported under one id of the person")
    yield links.resolved(
        apart.filter(~pl.col("_is_device")),
        key=before,
        person=own,
        time=when,
        why="taken in under another id",
    )
    yield links.resolved(
        apart.filter("_is_device"), key=own, person=before, time=when, why="exported under the id of a device"
    )
    yield links.likely(apart.filter("_is_device"), before, why="beside the id of a device")
    yield links.identified(rows, known)
    yield links.own(rows.filter(known.is_null()), anonymous=own, key=own)


def of_a_device() -> pl.Expr:
    """Return whether a row is exported under an id with the shape of a device's, and came in under one without."""
    given = pl.coalesce(prop("mp_original_distinct_id"), prop("distinct_id"))
    before = told("$distinct_id_before_identity")
    own = [is_device(given), key(pl.col("_told")) == pl.col("_device")]
    other = [is_device(before), pl.col("_before") == pl.col("_device")]
    one, another = (pl.any_horizontal(side).fill_null(value=False) for side in (own, other))
    return one & ~another


def compatible(rows: pl.LazyFrame) -> Iterator[pl.LazyFrame]:
    """Yield the links that events tell under `--uuid-compat`, where their ids are those of the managed migration."""
    known, device, own, when = (pl.col(name) for name in ("_user", "_device", "_key", "_time"))
    paired = rows.filter(device != known)
    yield of_no_one(rows, "$device_id", "$user_id")
    for anonymous in (device, pl.concat_str([pl.lit(DEVICE), device])):
        yield links.linked(
            paired, anonymous=anonymous, identified=known, time=when, why="user and device on one event"
        )
    other = rows.filter(own != known)
    yield links.linked(
        other, anonymous=own, identified=known, time=when, why="exported under one id of the person"
    )
    of_device = rows.filter(of_a_device())
    for device in (prop("distinct_id"), key(pl.col("_told"))):
        yield links.linked(
            of_device,
            anonymous=device,
            identified=pl.col("_before"),
            time=when,
            why="exported under the id of a device",
        )
    for another in (pl.col("_before"), key(pl.col("_told"))):
        apart = rows.filter(~of_a_device() & (another != own) & (another != own.str.strip_prefix(DEVICE)))
        yield links.same(apart, one=another, other=own, time=when, why="taken in under another id")
    yield links.identified(rows, known)
    yield links.own(rows.filter(own.ne_missing(known)), anonymous=own, key=own)


def of_no_one(rows: pl.LazyFrame, one: str, other: str) -> pl.LazyFrame:
    """Return links with a word that is no one's id; they are refused as `illegal_id`. PostHog's own list is shorter."""
    words = pl.any_horizontal(identifier(told(name)).is_null() for name in (one, other))
    return links.refused(rows.filter(words), anonymous=prop(one), identified=prop(other), why="illegal_id")


def verbs(rows: pl.LazyFrame) -> Iterator[pl.LazyFrame]:
    """Yield what Mixpanel's three identity verbs tell; an alias may point either way.

    Where a call names a device as the one who is identified, nobody is. An alias that is exported under another id
    than it was taken in under still speaks of that one.
    """
    when, name = pl.col("_time"), pl.col("_name")
    identified, anonymous, alias = (identifier(told(n)) for n in ("$identified_id", "$anon_id", "alias"))
    calls = rows.filter(name == "$identify")
    said = user(told("$identified_id"))
    yield links.linked(calls, anonymous=anonymous, identified=said, time=when, why="$identify")
    yield links.identified(calls, said)
    yield links.same(
        calls.filter(said.is_null()), one=anonymous, other=identified, time=when, why="$identify"
    )
    yield of_no_one(calls, "$anon_id", "$identified_id")
    aliased = rows.filter(name == "$create_alias")
    own, before = key(pl.col("_told")), pl.col("_before")
    is_moved = ((before != alias) & (before != own)).fill_null(value=False)
    links_both = aliased.filter(~is_moved | (own != alias))
    yield links.same(links_both, one=own, other=alias, time=when, why="$create_alias")
    yield links.same(aliased.filter(is_moved), one=before, other=alias, time=when, why="$create_alias")
    yield of_no_one(aliased, "distinct_id", "alias")
    yield from beside_devices(aliased, told("distinct_id"), told("alias"))
    yield from beside_devices(aliased, told("$distinct_id_before_identity"), told("alias"))
    some = id_list(told("$distinct_ids")).list.eval(
        pl.element().filter(identifier(pl.element()).is_not_null())
    )
    merged = rows.filter(name == "$merge").with_columns_seq(some.alias("_ids"))
    pairs = merged.with_columns_seq(
        pl.col("_ids").list.first().alias("_one"), pl.col("_ids").list.slice(1).alias("_other")
    ).explode("_other")
    one, other = pl.col("_one"), pl.col("_other")
    yield links.same(pairs, one=identifier(one), other=identifier(other), time=when, why="$merge")
    yield from beside_devices(pairs, one, other)


def beside_devices(rows: pl.LazyFrame, one: pl.Expr, other: pl.Expr) -> Iterator[pl.LazyFrame]:
    """Yield who is known where a verb puts an id with the shape of a device's together with one of another shape."""
    for device, person in ((one, other), (other, one)):
        alone = is_device(device) & ~is_device(person)
        yield links.identified(rows.filter(alone), user(person), why="put together with a device's id")


def identity_links(rows: pl.LazyFrame, _options: Options) -> pl.LazyFrame:
    """Return what the table of identity mappings says: events told under an id are the resolved id's."""
    old, new = (identifier(pl.col(name)) for name in ("distinct_id", "resolved_distinct_id"))
    return links.resolved(
        rows.filter(old != new),
        key=old,
        person=new,
        time=None,
        why="identity mapping",
    )


def without_ids(shape: Shape, options: Options) -> pl.Expr:
    """Return whether an event has no id at all, so that it is no one's."""
    ids = ("$user_id", "$device_id", "mp_original_distinct_id", "$distinct_id_before_identity")
    nobody = [identifier(one).is_null() for one in (*map(shape.told, ids), shape.chosen(options))]
    return pl.all_horizontal(expr.stripped(shape.told("distinct_id")).is_null(), *nobody) & ~shape.name(
        options
    ).is_in([*VERBS, *REPLAYS]).fill_null(value=False)


def without_user(shape: Shape, options: Options) -> pl.Expr:
    """Return whether an event says no user, neither itself nor in the property that the user names."""
    found = [user(one).is_null() for one in (shape.told("$user_id"), shape.chosen(options))]
    is_other = shape.name(options).is_in([*VERBS, *REPLAYS]).fill_null(value=False)
    return pl.all_horizontal(*found) & ~is_other
