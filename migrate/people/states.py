"""What rows tell of whole persons and groups: kept aside while events are planned, told once all of them are.

Of all that is told of a person, the latest is planned after the last event of that history, and how that person first
came on or before the first; of a group, whatever differs from what was told before, and that there is one.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from migrate.jsontext.build import object_text
from migrate.jsontext.parse import encoded, raw_object
from migrate.kit import events, expr, objects, schemas, uuids
from migrate.kit.cells import value_of
from migrate.kit.declare import ROW, Options, Table
from migrate.kit.schemas import Schema
from migrate.payload import checks, special
from migrate.people.store import FirstTouches, People
from migrate.workdir.seals import Kept

_COLUMNS: Final[Schema] = {
    "owner": pl.String,
    "what": pl.String,
    "timestamp": schemas.TIMESTAMP,
    "distinct_id": pl.String,
    "told": pl.String,
}
SCHEMA: Final = pl.Schema(_COLUMNS)
"""`owner`: whose it is, a person's or a group's; `what` is told (see below) and, as JSON text, what it is."""
_STATE: Final = "state"
_ONCE: Final = "once"
"""How a person first came."""
_FIRST: Final = "first"
_LAST: Final = "last"
"""When a person, or a group, was seen first, and a person last."""
_PLACE: Final = "place"
"""Where a person was seen, as PostHog's own step would put it on the person (posthog-ingestion.md §8)."""
_EARLIEST: Final = (_ONCE, _FIRST)
PLACE: Final = (
    "$geoip_country_name",
    "$geoip_country_code",
    "$geoip_subdivision_1_name",
    "$geoip_city_name",
)
PERSONLESS: Final = "$process_person_profile"
"""False on an event that makes no person."""
_PERSON: Final = "p"
_GROUP: Final = "g"
_TOLD_PLACE: Final = "l"
"""What stands before a person's id, or a group's type and key: in owners, and in what was told of them."""
_BETWEEN: Final = "\x1f"
_BUCKET_BYTES: Final = 64 * 2**20
"""What the states of one bucket may take, uncompressed, while they are put in order."""
_MOST_BUCKETS: Final = 256
_ASKED: Final = 20_000
_REJECTS: Final = special.REJECTS


@dataclass(frozen=True)
class Told:
    """`frame`: `SCHEMA` and `_row`; `rejects`: `_row`, `reason`, `value`."""

    frame: pl.DataFrame
    rejects: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_REJECTS))
    warnings: Counter[str] = field(default_factory=Counter)


def told(rows: pl.LazyFrame, table: Table, options: Options, people: People | None) -> Told:
    """Return the states that rows tell. What is told of an id that is no one's is left out and counted.

    A profile goes to the person whose id it is in the end, where rows have not been asked for theirs already.
    """
    found = []
    if table.to_profiles and options.person_properties != "none":
        profiles = table.to_profiles(rows, options).collect()
        if people and table.resolve is None:
            persons = people.persons(profiles["distinct_id"])
            profiles = profiles.with_columns_seq(pl.coalesce(persons, "distinct_id").alias("distinct_id"))
        found += _profiles(profiles.lazy())
    if table.to_groups:
        found.append(_groups(table.to_groups(rows, options)))
    if not found:
        return Told(nothing())
    frame = pl.concat(pl.collect_all(found))
    is_person = pl.col("owner").str.starts_with(_PERSON)
    nobody = is_person & checks.junk(pl.col("distinct_id"))
    kind, key = _group()
    reason = (
        pl.when(is_person & (pl.col("distinct_id").str.len_bytes() > checks.MAX_DISTINCT_ID_BYTES))
        .then(pl.lit("distinct_id_too_long"))
        .when(~is_person & (key.str.len_chars() > special.MAX_GROUP_KEY))
        .then(pl.lit("group_key_too_long"))
        .when(~is_person & (kind.str.len_chars() > special.MAX_GROUP_KEY))
        .then(pl.lit("group_type_too_long"))
    )
    judged = frame.with_columns_seq(nobody.alias("nobody"), reason.alias("reason"))
    rejects = (
        judged.filter(pl.col("reason").is_not_null())
        .select_seq(ROW, "reason", pl.col("owner").str.slice(1, 200).alias("value"))
        .unique(ROW, keep="first", maintain_order=True)
    )
    kept = judged.filter(~pl.col("nobody") & pl.col("reason").is_null()).drop("nobody", "reason")
    strangers = judged.filter(pl.col("nobody"))[ROW].n_unique()
    return Told(kept, rejects, +Counter({"profile_of_no_one": strangers}))


def nothing() -> pl.DataFrame:
    """Return no states."""
    return pl.DataFrame(schema={ROW: pl.Int64, **_COLUMNS})


def seen(frame: pl.DataFrame) -> pl.DataFrame:
    """Return when the people of these events were seen first and last: `SCHEMA` and `_row`."""
    time = pl.col("timestamp")
    spans = frame.group_by("distinct_id", maintain_order=True).agg(
        pl.col(ROW).first(), time.min().alias(_FIRST), time.max().alias(_LAST)
    )
    found = [
        _state(spans.lazy().rename({what: "timestamp"}), what, _person(), pl.lit(None, pl.String))
        for what in (_FIRST, _LAST)
    ]
    return pl.concat(pl.collect_all(found))


def places(frame: pl.DataFrame) -> pl.DataFrame:
    """Return where the people of these events (an event frame) were last seen, as far as it is known."""
    extra = frame["extra"]
    known = [] if not isinstance(extra.dtype, pl.Struct) else [one.name for one in extra.dtype.fields]
    names = [name for name in PLACE if name in known]
    if not names:
        return nothing()
    place = [pl.col("extra").struct.field(name) for name in names]
    has_no_person = pl.lit(value=False)
    if PERSONLESS in known:
        has_no_person = pl.col("extra").struct.field(PERSONLESS).eq_missing(pl.lit(value=False))
    last = (
        frame.lazy()
        .filter(~has_no_person)
        .select_seq(ROW, "timestamp", pl.col("distinct_id").str.strip_chars(), *place)
        .filter(pl.any_horizontal(pl.col(names).is_not_null()))
        .sort("timestamp", maintain_order=True)
        .unique("distinct_id", keep="last", maintain_order=True)
        .filter(~checks.junk(pl.col("distinct_id")))
    )
    return _state(last, _PLACE, _person(), object_text(names)).collect()


def groups_seen(frame: pl.DataFrame) -> pl.DataFrame:
    """Return when the groups of these events (an event frame) were seen first: `SCHEMA` and `_row`."""
    named = frame.select_seq(ROW, "timestamp", "groups").filter(pl.col("groups").is_not_null())
    if not named.height:
        return nothing()
    if isinstance(named["groups"].dtype, pl.Struct):
        types = [one.name for one in named["groups"].dtype.fields]
        found = [
            named.select_seq(
                ROW, "timestamp", pl.lit(kind).alias("type"), pl.col("groups").struct.field(kind).alias("key")
            )
            for kind in types
        ]
        pairs = pl.concat([frame.cast({"key": pl.String}) for frame in found])
    else:
        distinct = named.sort("timestamp", maintain_order=True).unique(
            "groups", keep="first", maintain_order=True
        )
        rows = [
            (row, time, kind, key)
            for row, time, text in distinct.iter_rows()
            for kind, key in _keys(raw_object(text))
        ]
        schema: Schema = {
            ROW: pl.Int64,
            "timestamp": schemas.TIMESTAMP,
            "type": pl.String,
            "key": pl.String,
        }
        pairs = pl.DataFrame(rows, pl.Schema(schema), orient="row")
    owner = pl.concat_str(pl.lit(_GROUP), "type", pl.lit(_BETWEEN), "key")
    fitting = pl.max_horizontal(pl.col("type", "key").str.len_chars()) <= special.MAX_GROUP_KEY
    first = (
        pairs.lazy()
        .filter(pl.col("key").is_not_null() & (pl.col("key") != "") & fitting)
        .group_by("type", "key", maintain_order=True)
        .agg(pl.col(ROW, "timestamp").sort_by("timestamp", maintain_order=True).first())
        .with_columns(pl.lit(None, pl.String).alias("distinct_id"))
    )
    return _state(first, _FIRST, owner, pl.lit(None, pl.String)).collect()


def _keys(groups: Mapping[str, bytes]) -> Iterator[tuple[str, str]]:
    """Yield types and keys of `$groups`; a key that is no text is its own JSON, as PostHog has it."""
    for kind, raw in groups.items():
        key = value_of(bytes(raw).decode())
        if key is not None:
            yield kind, key if isinstance(key, str) else bytes(raw).decode()


def _group() -> tuple[pl.Expr, pl.Expr]:
    """Return type and key of a group as an owner."""
    parts = pl.col("owner").str.slice(1).str.splitn(_BETWEEN, 2).struct
    return parts.field("field_0"), parts.field("field_1")


def _person() -> pl.Expr:
    """Return the person as an owner."""
    return pl.concat_str(pl.lit(_PERSON), "distinct_id")


def _state(frame: pl.LazyFrame, what: str, owner: pl.Expr, said: pl.Expr) -> pl.LazyFrame:
    """Return states of one kind."""
    return frame.select_seq(
        ROW, owner.alias("owner"), pl.lit(what).alias("what"), "timestamp", "distinct_id", said.alias("told")
    )


def _profiles(frame: pl.LazyFrame) -> list[pl.LazyFrame]:
    """Return profiles as states: what is so of a person, and what was so first."""
    whose = frame.with_columns_seq(pl.col("distinct_id").str.strip_chars())
    return [
        _state(whose.filter(pl.col(name).is_not_null()), what, _person(), pl.col(name))
        for what, name in ((_STATE, "set"), (_ONCE, "set_once"))
    ]


def _groups(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Return group states; of one time and group the first row's person tells it."""
    owner = pl.concat_str(pl.lit(_GROUP), "group_type", pl.lit(_BETWEEN), "group_key")
    return _state(frame, _STATE, owner, pl.col("properties").fill_null("{}"))


class States:
    """The states of one input, written aside as they are told."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writer: pq.ParquetWriter | None = None

    def write(self, frame: pl.DataFrame) -> None:
        """Take states. Of each person the latest of these is enough, and the first; of groups all are needed.

        What lies between two states of a group may stand in another file.
        """
        if not frame.height:
            return
        is_person = pl.col("owner").str.starts_with(_PERSON)
        ordered = frame.drop(ROW).sort(*_order())
        is_early = pl.col("what").is_in(_EARLIEST)
        early = ordered.filter(is_early).unique(["owner", "what", "told"], keep="first", maintain_order=True)
        late = ordered.filter(is_person & ~is_early)
        latest = late.unique(["owner", "what"], keep="last", maintain_order=True)
        groups = ordered.filter(~is_person & ~is_early).unique(maintain_order=True)
        table = pl.concat([early, latest, groups]).select_seq(SCHEMA.names()).to_arrow()
        if self._writer is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = pq.ParquetWriter(self.path, table.schema, compression="zstd")
        self._writer.write_table(table)

    def close(self) -> bool:
        """Write the file's end; return whether there is a file."""
        if self._writer is None:
            return False
        self._writer.close()
        return True


def _order() -> list[pl.Expr]:
    """Return what states are put in order by: whose, when (what is of the export last), and then by what they say."""
    time = pl.col("timestamp")
    return [pl.col("owner"), time.is_null(), time, pl.col("what"), pl.col("told"), pl.col("distinct_id")]


@dataclass(frozen=True)
class News:
    """`frame`: an event frame of what is to be told; `told`: owner, time in microseconds and digest of it, to keep.

    `touches`: of whom, when and how it is told that they first came, to keep.
    """

    frame: pl.DataFrame
    told: list[tuple[str, int, str]] = field(default_factory=list)
    touches: list[tuple[str, int, str]] = field(default_factory=list)


def first_touches(
    files: Sequence[Kept], people: People, touches: FirstTouches, aside: Path
) -> Iterator[News]:
    """Yield how people first came, as far as it was not told before, at the first event of any of their ids.

    PostHog fills that in from the first event that arrives, unless it is known by then (posthog-ingestion.md §3.6). A
    person to whom an id was merged of which it was told before came as that id did: the person's own would win over
    it when the two are merged (§3.7). Who has no events is told of by `news`.
    """
    for bucket in _buckets(files, aside, _EARLIEST, people):
        first = _first(bucket)
        owners = first["owner"].str.slice(1)
        known = [f"{_PERSON}{name}" for name in touches.told(owners.to_list())]
        fresh = (
            _with_inherited(_once(bucket), touches.inherited(owners.to_list()))
            .join(first, on="owner", maintain_order="left")
            .filter(~pl.col("owner").is_in(known))
        )
        for some in fresh.iter_slices(_ASKED):
            frame = events.events(
                _numbered(some),
                event=pl.lit("$set"),
                distinct_id=pl.col("owner").str.slice(1),
                timestamp=pl.col("first"),
                dedup_key=expr.key(pl.lit("first touch"), pl.col("owner")),
                set_once=pl.col("told"),
            )
            yield News(frame.collect(), touches=_noted(some, "", "first", "told"))


def _with_inherited(once: pl.DataFrame, inherited: Sequence[tuple[str, str]]) -> pl.DataFrame:
    """Return how persons first came, with what was told before of ids that were merged into them going first."""
    if not inherited:
        return once
    texts: dict[str, str] = {}
    for name, text in inherited:
        owner = f"{_PERSON}{name}"
        texts[owner] = _completed(texts[owner], text) if owner in texts else text
    for owner, text in once.select("owner", "told").iter_rows():
        texts[owner] = _completed(texts[owner], text) if owner in texts else text
    times = dict(once.select("owner", "once_time").iter_rows())
    rows = [(owner, times.get(owner), text) for owner, text in sorted(texts.items())]
    return pl.DataFrame(rows, once.schema, orient="row")


def news(
    files: Sequence[Kept], people: People, touches: FirstTouches, end: datetime | None, aside: Path
) -> Iterator[News]:
    """Yield what these files tell that was not told before, some owners at a time.

    A person is told of when the last of that history is seen, or the time of the state if that is later; a state as
    of the export, of a person without events, at `end`. `aside` is a folder for what does not fit into memory; one
    bucket of owners is held at a time.
    """
    for bucket in _buckets(files, aside, people=people):
        for fresh, frame in (
            (_persons(bucket, people, touches, end), _set),
            (_groups_news(bucket, people, end), _identify),
        ):
            notes, came = fresh.told, fresh.touches
            for some in fresh.frame.iter_slices(_ASKED):
                yield News(frame(_numbered(some)).collect(), notes, came)
                notes, came = [], []


def _noted(frame: pl.DataFrame, mark: str, time: str, digest: str) -> list[tuple[str, int, str]]:
    """Return what to keep of what is told: the owner under a mark of its own, when, and a digest."""
    owner = pl.concat_str(pl.lit(mark), pl.col("owner").str.slice(1))
    return frame.select_seq(owner, pl.col(time).dt.epoch("us"), pl.col(digest)).rows()


def _numbered(frame: pl.DataFrame) -> pl.LazyFrame:
    """Return states with numbers as rows have."""
    return frame.with_row_index(ROW, 1).with_columns_seq(pl.col(ROW).cast(pl.Int64)).lazy()


def _told(people: People, mark: str, bucket: pl.DataFrame) -> pl.DataFrame:
    """Return what was told before of these owners, under a mark: owner, time, digest."""
    owners = bucket.filter(pl.col("owner").str.starts_with(_PERSON))["owner"].unique().str.slice(1)
    known = people.told([f"{mark}{owner}" for owner in owners])
    rows = [(f"{_PERSON}{owner[1:]}", time, digest) for owner, time, digest in known]
    return pl.DataFrame(rows, {"owner": pl.String, "told_time": pl.Int64, "known": pl.String}, orient="row")


def _of(bucket: pl.DataFrame, what: str, mark: str = _PERSON) -> pl.DataFrame:
    """Return the states of one kind, in order."""
    chosen = bucket.filter((pl.col("what") == what) & pl.col("owner").str.starts_with(mark))
    return chosen.sort(*_order())


def _first(bucket: pl.DataFrame) -> pl.DataFrame:
    """Return when persons were seen first."""
    return (
        _of(bucket, _FIRST)
        .group_by("owner", maintain_order=True)
        .agg(pl.col("timestamp").min().alias("first"))
    )


def _once(bucket: pl.DataFrame) -> pl.DataFrame:
    """Return how persons first came: what was told first of each of its names; when that was, as of the first."""
    told = _of(bucket, _ONCE).unique(["owner", "told"], keep="first", maintain_order=True)
    rows: dict[str, tuple[datetime | None, str]] = {}
    for owner, time, text in told.select("owner", "timestamp", "told").iter_rows():
        when, before = rows.get(owner, (time, ""))
        rows[owner] = (when, _completed(before, text) if before else text)
    found = [(owner, time, text) for owner, (time, text) in rows.items()]
    schema: Schema = {"owner": pl.String, "once_time": schemas.TIMESTAMP, "told": pl.String}
    return pl.DataFrame(found, pl.Schema(schema), orient="row")


def _completed(first: str, other: str) -> str:
    """Return an object's text with the members of another that it lacks."""
    merged = {**raw_object(other), **raw_object(first)}
    order = [
        *raw_object(first),
        *(name for name in merged if name not in raw_object(first)),
    ]
    return encoded({name: merged[name] for name in order}).decode()


@dataclass(frozen=True)
class _Fresh:
    """`frame`: owner, distinct_id, timestamp, what is told; `told`, `touches`: what to keep of it, see `News`."""

    frame: pl.DataFrame
    told: list[tuple[str, int, str]]
    touches: list[tuple[str, int, str]] = field(default_factory=list)


def _latest(bucket: pl.DataFrame, what: str, mark: str, people: People, end: datetime | None) -> pl.DataFrame:
    """Return the latest of what is told of persons, where it was not told before and nothing newer was."""
    last = (
        _of(bucket, _LAST).group_by("owner", maintain_order=True).agg(pl.col("timestamp").max().alias("last"))
    )
    return (
        _of(bucket, what)
        .unique("owner", keep="last", maintain_order=True)
        .join(last, on="owner", how="left", maintain_order="left")
        .join(_told(people, mark, bucket), on="owner", how="left", maintain_order="left")
        .with_columns_seq(
            pl.max_horizontal("timestamp", "last")
            .fill_null(pl.lit(end, schemas.TIMESTAMP))
            .alias("timestamp"),
            uuids.digest(expr.canonical(pl.col("told"))).alias("digest"),
        )
        .filter(pl.col("told_time").is_null() | (pl.col("timestamp").dt.epoch("us") >= pl.col("told_time")))
        .filter(pl.col("digest").ne_missing(pl.col("known")))
        .select_seq("owner", "timestamp", "told", "digest")
    )


def _persons(bucket: pl.DataFrame, people: People, touches: FirstTouches, end: datetime | None) -> _Fresh:
    """Return what is new of persons: their state, where they are, and how those first came who have no events."""
    state, place = (
        _latest(bucket, what, mark, people, end) for what, mark in ((_STATE, _PERSON), (_PLACE, _TOLD_PLACE))
    )
    came = _once(bucket)
    known = [f"{_PERSON}{name}" for name in touches.told(came["owner"].str.slice(1).to_list())]
    once = came.filter(~pl.col("owner").is_in([*_first(bucket)["owner"], *known]))
    once = once.select_seq(
        "owner",
        pl.col("once_time").fill_null(pl.lit(end, schemas.TIMESTAMP)).alias("timestamp"),
        "told",
        uuids.digest(expr.canonical(pl.col("told"))).alias("digest"),
    )
    frames = {"state": state, "place": place, "once": once}
    told = [
        *_noted(state, _PERSON, "timestamp", "digest"),
        *_noted(place, _TOLD_PLACE, "timestamp", "digest"),
    ]
    owners = pl.concat([frame.select("owner") for frame in frames.values()]).unique().sort("owner")
    for name, frame in frames.items():
        named = frame.rename({column: f"{name}_{column}" for column in ("timestamp", "told", "digest")})
        owners = owners.join(named, on="owner", how="left", maintain_order="left")
    times = [f"{name}_timestamp" for name in frames]
    return _Fresh(
        owners.select_seq(
            "owner",
            pl.col("owner").str.slice(1).alias("distinct_id"),
            pl.max_horizontal(times).alias("timestamp"),
            objects.completed(pl.col("state_told"), pl.col("place_told")).alias("set"),
            pl.col("once_told").alias("set_once"),
        ).with_columns_seq(
            uuids.digest(*(expr.canonical(pl.col(name)) for name in ("set", "set_once"))).alias("digest")
        ),
        told,
        _noted(once, "", "timestamp", "told"),
    )


def _set(states: pl.LazyFrame) -> pl.LazyFrame:
    """Return a `$set` event for each person."""
    return events.events(
        states,
        event=pl.lit("$set"),
        distinct_id=pl.col("distinct_id"),
        timestamp=pl.col("timestamp"),
        dedup_key=expr.key(pl.lit("profile"), pl.col("owner"), pl.col("digest")),
        set=pl.col("set"),
        set_once=pl.col("set_once"),
    )


def _groups_news(bucket: pl.DataFrame, people: People, end: datetime | None) -> _Fresh:
    """Return what is new of groups: what differs from what was told before, and those of which nothing else is told."""
    of_groups = bucket.filter(pl.col("owner").str.starts_with(_GROUP))
    known = people.told(of_groups["owner"].unique().to_list())
    before = pl.DataFrame(
        known, {"owner": pl.String, "told_time": pl.Int64, "known": pl.String}, orient="row"
    )
    stated = _of(bucket, _STATE, _GROUP)
    bare = _of(bucket, _FIRST, _GROUP).unique("owner", keep="first", maintain_order=True)
    bare = bare.filter(~pl.col("owner").is_in([*stated["owner"].unique(), *before["owner"]]))
    ordered = (
        pl.concat([stated, bare.with_columns_seq(pl.lit("{}").alias("told"))])
        .sort(*_order())
        .with_columns_seq(
            pl.col("timestamp").fill_null(pl.lit(end, schemas.TIMESTAMP)),
            uuids.digest(expr.canonical(pl.col("told")), pl.lit(None, pl.String)).alias("digest"),
        )
        .join(before, on="owner", how="left", maintain_order="left")
        .filter(pl.col("told_time").is_null() | (pl.col("timestamp").dt.epoch("us") >= pl.col("told_time")))
    )
    previous = pl.coalesce(pl.col("digest").shift().over("owner"), pl.col("known"))
    fresh = ordered.filter(pl.col("digest").ne_missing(previous))
    last = fresh.unique("owner", keep="last", maintain_order=True)
    return _Fresh(fresh, last.select_seq("owner", pl.col("timestamp").dt.epoch("us"), "digest").rows())


def _identify(states: pl.LazyFrame) -> pl.LazyFrame:
    """Return a `$groupidentify` event for each state; without a person it has the id server libraries give it."""
    kind, key = _group()
    named = {"$group_type": kind, "$group_key": key}
    return events.events(
        states,
        event=pl.lit("$groupidentify"),
        distinct_id=pl.coalesce(pl.col("distinct_id"), pl.format("${}_{}", kind, key)),
        timestamp=pl.col("timestamp"),
        dedup_key=expr.key(pl.lit("groupidentify"), pl.col("owner"), pl.col("digest")),
        properties=object_text(named, json={"$group_set": pl.col("told")}),
    )


def _buckets(
    files: Sequence[Kept], aside: Path, what: Sequence[str] | None = None, people: People | None = None
) -> Iterator[pl.DataFrame]:
    """Yield the states, or those of some kinds, all of one owner in the same frame.

    With `people`, what is told of an id that was merged into a person's is that person's; how an id first came and
    when it was seen first, the kinds that are asked for by name, are the id's own as well.
    """
    if what is not None and not any(_has_once(file) for file in files):
        return
    size = sum(_bytes(file) for file in files)
    count = min(_MOST_BUCKETS, size // _BUCKET_BYTES + 1)
    if count == 1:
        yield pl.concat([pl.DataFrame(schema=SCHEMA), *(_chosen(_read(one), what, people) for one in files)])
        return
    aside.mkdir(parents=True, exist_ok=True)
    buckets = [aside / f"bucket-{number:03d}.parquet" for number in range(count)]
    with ExitStack() as stack:
        schema = pl.DataFrame(schema=SCHEMA).to_arrow().schema
        writers = [stack.enter_context(pq.ParquetWriter(path, schema, compression="lz4")) for path in buckets]
        for file in files:
            for frame in _pieces(file):
                number = (pl.col("owner").hash() % count).alias("bucket")
                chosen = _chosen(frame, what, people).with_columns_seq(number)
                for (bucket,), part in chosen.partition_by("bucket", as_dict=True).items():
                    writers[bucket].write_table(part.drop("bucket").to_arrow().cast(schema))
    for kept in map(Kept.of, buckets):
        yield _read(kept)
        kept.path.unlink()


def _chosen(frame: pl.DataFrame, what: Sequence[str] | None, people: People | None) -> pl.DataFrame:
    """Return the states of these kinds; what is told of a merged id is its person's, see `_buckets`."""
    if what is None and people is not None:
        person = people.identified(frame["distinct_id"])
        is_merged = person.is_not_null() & frame["owner"].str.starts_with(_PERSON)
        owner = pl.when(is_merged).then(pl.concat_str(pl.lit(_PERSON), person)).otherwise("owner")
        return frame.with_columns_seq(owner.alias("owner")) if is_merged.any() else frame
    if what is None:
        return frame
    of_persons = frame.filter(pl.col("what").is_in(what) & pl.col("owner").str.starts_with(_PERSON))
    if people is None:
        return of_persons
    person = people.identified(of_persons["distinct_id"])
    merged = of_persons.with_columns_seq(pl.concat_str(pl.lit(_PERSON), person).alias("owner"))
    return pl.concat([of_persons, merged.filter(person.is_not_null())])


def _has_once(file: Kept) -> bool:
    """Return whether a file tells how anybody first came."""
    return any((piece["what"] == _ONCE).any() for piece in _pieces(file))


def _read(file: Kept) -> pl.DataFrame:
    """Return all states of a file."""
    return pl.concat([pl.DataFrame(schema=SCHEMA), *_pieces(file)])


def _pieces(file: Kept) -> Iterator[pl.DataFrame]:
    """Yield a file's states, some at a time."""
    with file.opened() as source, pq.ParquetFile(source, pre_buffer=False) as parquet:
        for batch in parquet.iter_batches(_ASKED):
            yield pl.DataFrame(pa.table(batch)).select_seq(SCHEMA.names()).cast(SCHEMA)


def _bytes(file: Kept) -> int:
    """Return what a file takes, uncompressed."""
    with file.opened() as source:
        metadata = pq.read_metadata(source)
    return sum(metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups))
