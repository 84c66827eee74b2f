'''What a mapping module declares: a platform, its tables, and how a table's rows become events.

A mapping is one file, `mappings/<platform>.py`, with a `MAPPING`. A smallest one, whole:

    """Acme: the event log as CSV (https://acme.example/docs/export, read 2026-11-28)."""

    import polars as pl

    from migrate.kit import expr
    from migrate.kit.declare import PROPERTIES, REST, Options, Platform, Table, has
    from migrate.kit.events import events

    NAMES = {"page_view": "$pageview"}


    def to_events(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
        """Return the event each row is."""
        return events(
            rows,
            event=expr.lookup(pl.col("action"), NAMES),
            distinct_id=expr.first(pl.col("user")),
            timestamp=expr.timestamp(pl.col("at"), zone=options.source_timezone),
            dedup_key=pl.col("id"),
            laid=pl.col(PROPERTIES),
            extra={"acme_id": pl.col("id")},
        )


    MAPPING = Platform(
        title="Acme",
        reads="the event log as CSV",
        tables=[
            Table(
                name="events",
                columns=dict.fromkeys(["id", "action", "user", "at"], pl.String),
                matches=has("id", "action", "user", "at"),
                to_events=to_events,
                ids=["id", "user"],
                times=["at"],
                properties=[REST],
                rename={"url": "$current_url", "_loaded_at": None},
            )
        ],
    )

**The order in which a file and its rows go through a `Table`'s fields:**

1. *Which table.* `matches` and `file` are asked of each table of the platform in turn; the first that takes the file
   has it. `refusal`, or what `missing` returns, then sets the file aside with that sentence. What the columns of a file
   without a header are called, `Platform.headerless` has said before.
2. *Reading.* Cells that are in `nulls` are null. The `columns` arrive as text, what is declared nowhere together as
   `REST`, but for `dropped` and, where `left_out` holds, counted; `partitions` adds what folders say. Where the table
   unfolds a column (`unfold`), a record becomes a row for each element of it; all that follows sees these rows.
3. *Objects.* Columns in `objects`, `bags` and `properties` must hold JSON objects, or the row is a reject (`bad_json`).
   A bag is `read`, its keys are called by its `name`, and its `keys` copied into columns of their own. What is left of
   the columns in `properties` is laid together as `PROPERTIES`: `rename`d, without nulls, what is computed and what
   `claims` names apart in `OWN`. `whole` adds `WHOLE`.
4. *Ids.* In the columns of `ids` a word for nothing is null, and counted; an id that was rounded on its way, or that
   holds bytes that are no text, rejects its row (`rounded_id`, `invalid_text`).
5. *Types.* Columns declared as anything else than String are cast; what cannot be is null, and counted.
6. *Joins.* `joins` add what lookups tell of the row, one after another; what is not found is null, and counted.
7. *What is computed.* The columns of `computed` are worked out, one after another; of a row that one fails on it is
   null, and counted. Those named in `ids` go through step 4.
8. *The look over all files*, before the first event: steps 2 to 7 for `link_columns` alone, then `to_links` (with
   `tells_own`), `to_recoveries` and `clock`.
9. *What other files and rows know.* `resolve` asks for `PERSON`, `recover` for `RECOVERED`, `neighbours` for `AGAIN`.
10. *Warnings and filters.* Rows that `warnings` hold for are counted; those that `filters` hold for are left out.
11. *Events.* `to_events`; then the framework checks each event, makes its uuid, and adds the properties every event
    gets. An event without a time whose `times` hold something is rejected as `bad_timestamp`. With `ordinals` the n-th
    repeat of a row is an event of its own.
12. *States.* `to_profiles` and `to_groups`, of all rows, whether a filter holds for them or not.

A row is never lost: it is an event (or tells of a person, a group, a link), filtered by a rule with a name, or rejected
with a reason. Likewise a source's property is passed on, renamed, or dropped by its name.
'''

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any, Final, Literal

import polars as pl

from migrate.errors import UsageError
from migrate.kit import mistakes

ROW: Final = "_row"
"""Int64: where a row stands in its file, from 1: for CSV the record without the header, for JSON the line it begins on,
counted as if each further record of a line began one of its own; in arrays and pages its place. Of an element of an
unfolded record it is made of that and of its place in the record (`migrate.numbering`), in the order of the file."""

POSITION: Final = "_position"
"""Int64: where a row stands in its record, from 1, in a table that unfolds (`Table.unfold`); null for a record that has
no elements, and in all other tables."""

REST: Final = "_rest"
"""String: a JSON object of every column or root key the table does not declare, null where there is none."""

FILE: Final = "_file"
"""String: the name of a row's file, without folders and endings ("Order Completed" of a/Order Completed.csv.gz)."""

PERSON: Final = "_person"
"""String: the id of the person the source itself says a row belongs to (see `Table.resolve`), else null."""

RECOVERED: Final = "_recovered"
"""String: a JSON object of what other files know of a row (see `Table.recover`), else null."""

AGAIN: Final = "_again"
"""Boolean: whether a row shortly before it in its file has the same `Table.neighbours`, null where there is none."""

PROPERTIES: Final = "_properties"
"""String: a JSON object of what is left of the objects that become the event's properties, see `Table.properties`."""

OWN: Final = "_own"
"""String: a JSON object of what the source itself says under names that are computed, too; see `Table.claims`."""

WHOLE: Final = "_whole"
"""String: the canonical form of `REST`, the same however its keys are ordered and spaced; see `Table.whole`."""

OURS: Final = frozenset((ROW, POSITION, REST, PERSON, RECOVERED, AGAIN, PROPERTIES, OWN, WHOLE))
"""What a column of a file may be called, and no column that a table declares: it is one of these then. Where a file has
a column `FILE`, a table that declares it has the file's."""

EVERY_ROW: Final = pl.col(ROW).is_not_null()
"""The predicate of a filter, or a warning, that holds for all rows of a table: `{"identity_only": EVERY_ROW}`."""

CHOICES: Final = frozenset(("--labels", "--group-key", "--group-type", "--user-id", "--uuid-compat"))
"""The options that only some platforms heed, see `Platform.options`."""

_FOLDERS: Final = re.compile(r".*[/!]")
_COMPRESSED: Final = re.compile(r"(\.(gz|gzip|zst|zstd|bz2|xz))+$")

PersonProperties = Literal["set", "set_once", "none"]
UuidCompat = Literal["posthog-worker"]


@dataclass(frozen=True, kw_only=True)
class Options:
    """The user's choices that change payloads; a workdir planned with others is refused.

    A mapping heeds `source_timezone`, and of the others those that its `Platform.options` names.
    """

    person_properties: PersonProperties = "set"
    """How person properties are sent; the framework sees to it."""
    source_timezone: str = "UTC"
    """An IANA zone or an offset, for `expr.timestamp` of times that name none; see `--source-timezone`."""
    keep: frozenset[str] = frozenset()
    """Names of filters that are turned off."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """What a name in the export (a table, a mangled column) is called by people; see `--labels`."""
    group_keys: Mapping[str, str] = field(default_factory=dict)
    """Property that holds a group's key -> group type; see `--group-key`."""
    group_type: str = "company"
    """The group type of sources whose groups have none; see `--group-type`."""
    user_id: str | None = None
    """The property that holds the user's id where the source itself does not say it; see `--user-id`."""
    uuid_compat: UuidCompat | None = None
    """Make the uuids that PostHog's managed migration makes, where it has a formula."""
    files: Collection[str] = frozenset()
    """`FILE` of every input of this run, in lower case: which other tables are there."""


def inside(column: str, key: str) -> str:
    """Return the name of the column that holds what an object in a column has under a key, see `Bag.keys`."""
    return f"{column}.{key}"


@dataclass(frozen=True, kw_only=True)
class Bag:
    """How the objects in a column are opened, once, when a row is read.

    `bags={"data": Bag(keys=["page", "amount"])}`: `pl.col(inside("data", "page"))` is then a column of text.
    """

    keys: Sequence[str] = ()
    """Keys delivered as columns of String, each named `inside`, null where missing; text comes unescaped, all else in
    its own JSON text. They stay in the object."""
    drops: frozenset[str] = frozenset()
    """Keys that are no properties, whatever `keys` says of them."""
    read: Callable[[str], str | None] | None = None
    """Text -> the JSON object it stands for, None for an empty one: for columns that hold something else than that.

    Anything among `cells.FAILURES` that it raises rejects the row as `bad_json`. Pure, and called once a row or less.
    """
    whole: str | None = None
    """Under which name, `inside` too, the object that `read` gives is delivered as a column."""
    name: Callable[[str], str] | None = None
    """Key -> what it is called from then on, but where another key of the row has that name, or gets it before it."""

    def columns(self, column: str) -> tuple[str, ...]:
        """Return the columns that objects in this column become: one for each key, and the whole."""
        return tuple(inside(column, key) for key in (*self.keys, self.whole) if key is not None)


@dataclass(frozen=True, kw_only=True)
class Lookup:
    """What makes a table a small one that other tables are joined with, see `Join`.

    Its files are told by their names alone, so that they are found among thousands that are planned already. Nearest to
    a file are those in its folder or archive, then those of its day, then those that no day tells apart. It is held in
    memory: one of more than 256 MB, or five million rows, is refused. Of several rows with one key the last counts, in
    the natural order of the files; how many say something else is said.
    """

    key: str
    """The column that is looked up; as text, without space around it."""
    files: Sequence[str]
    """Globs of names, without folders and `.gz`."""
    otherwise: str = "join it in SQL before the export, and leave the file out"
    """What to do about one that is too large to be held."""


@dataclass(frozen=True, kw_only=True)
class Join:
    """What a row has from a lookup; each column arrives as text, named `inside` the name of the join."""

    table: str
    """The name of the table that is the lookup."""
    on: str
    """The column that holds the key: one of the table, one `inside` an object, or one of a join before."""
    columns: Sequence[str]
    """Columns of the lookup."""
    required: bool = False
    """Whether a file waits where there is no lookup; else its columns are null, which is said."""
    several: str | None = None
    """What divides the keys where `on` holds several ("1,200"): each column is then a JSON list of what is found for
    them, in their order, null for a key that is not found; a row is counted once for each of these."""
    nothing: Sequence[str] = ()
    """Keys that stand for none: what has one is null without being counted. `nothing=["0"]`."""


@dataclass(frozen=True, kw_only=True)
class Computed:
    """A column that is worked out when a row is read, and used like one that the file has.

    Where a mapping writes its expressions itself, `to_events` is the place for them. This is for those of a user, which
    may fail on a row: `computed={"total": Computed(value=pl.sql_expr("CAST(price AS DOUBLE) * 2"))}`.
    """

    value: pl.Expr
    """What it is, of any type. What it comes to depends on its row alone, and on nothing else: no clock, no chance."""
    names: Mapping[str, str] | None = None
    """What `value` calls a column -> the column of rows; None where it calls all of them as rows do."""
    of: str | None = None
    """The column that it is another form of: where that holds something and this is null, it is counted as
    `wrong_type.<counted>`, as of columns that cannot be cast."""
    counted: str | None = None
    """What counts call it, if not by its own name."""

    def sources(self) -> dict[str, str]:
        """Return what `value` calls its columns -> the columns of rows."""
        if self.names is not None:
            return dict(self.names)
        return {name: name for name in self.value.meta.root_names()}

    def asked(self) -> tuple[str, ...]:
        """Return the columns of rows that it takes."""
        return (*self.sources().values(), *([] if self.of is None else [self.of]))


ToFrame = Callable[[pl.LazyFrame, Options], pl.LazyFrame]
"""Rows and options -> a frame. Pure: no clock, no files, no memory from chunk to chunk; what comes of a row depends on
that row alone, as a file's rows come in chunks of any size."""
Filter = pl.Expr | Callable[[Options], pl.Expr]
"""A Boolean over rows, null for no, or what makes one of the user's options."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """One kind of file of a platform; the module's docstring says in which order a row goes through these fields.

    Columns are named as the table spells them, in whatever case a file does; where a field takes columns, it takes
    those `inside` of objects, too, if it says so, and then those of `computed`.
    """

    name: str
    """For messages and the report: `events`, `merged_ids`."""
    columns: Mapping[str, pl.DataType | type[pl.DataType]]
    """The source columns that something is made of, or root keys of JSON, and their types; null where a file lacks one.

    String, for nearly all, means "as text, whatever the file's own type": numbers in their own digits, times as ISO
    8601, nested values as JSON text, empty cells as null. Rows have these, and what `declare` names in capitals.
    """
    matches: Callable[[frozenset[str]], bool]
    """Whether a file with these columns (lower case) is of this table; see `has`."""
    to_events: ToFrame
    """Rows -> `events.events`, one event a row or none; `events.none` where rows only tell of persons or links."""
    to_profiles: ToFrame | None = None
    """Rows -> `events.profiles`: what they tell of whole persons."""
    to_groups: ToFrame | None = None
    """Rows -> `events.groups`: what they tell of groups."""
    to_links: ToFrame | None = None
    """Rows -> a frame of `links`: which ids are one person. No filter applies."""
    tells_own: bool = False
    """Whether `to_links` tells which anonymous ids have events of their own (`links.own`): of those that have none, in
    any file, no link is made one."""
    lookup: Lookup | None = None
    """What makes it a small table that others are joined with. With `events.none` its rows are counted as `lookup`."""
    joins: Mapping[str, Join] = field(default_factory=dict)
    """Name -> what is looked up for each row, in this order. `joins={"os": Join(table="systems", on="os_id",
    columns=["name"])}` gives `pl.col(inside("os", "name"))`; what is not found is null, counted as `not_found.os`."""
    link_columns: Sequence[str] | None = None
    """The columns, and those `inside` of objects and joins, that `to_links`, `clock` and `to_recoveries` look at, if
    not all; files are read twice, and the first time for these alone."""
    resolve: pl.Expr | None = None
    """Under which id or key `to_links` told the source's own resolution of a row's person; gives rows `PERSON`.

    `resolve=pl.col("user_id")`, where another file says whose number that is.
    """
    to_recoveries: ToFrame | None = None
    """Rows -> `links.recoveries`: what they know of rows of other files."""
    recover: pl.Expr | Sequence[pl.Expr] | None = None
    """Under which key `to_recoveries` of other files told of a row; gives rows `RECOVERED`.

    Under several keys, of its event and of its session, where several files know of it: what is told under the first of
    them counts first."""
    neighbours: pl.Expr | None = None
    """What rows of one file that stand near each other have in common where all are one event; gives rows `AGAIN`.

    Near are 16,384 rows. A filter of `pl.col(AGAIN)` leaves all but the first out, the same ones whoever reads the file
    in whichever chunks, which no other expression over several rows does. Such a file is planned in one piece."""
    clock: ToFrame | None = None
    """Rows -> `links.clock`: how far each row's clock is from UTC, as far as it tells."""
    file: Callable[[str], bool] | None = None
    """Whether a file of this name (`FILE`, lower case) may be of this table, beside what `matches` says."""
    files: Sequence[str] = ()
    """Globs of names, without folders and `.gz`, of the files that may be of this table; any, where there are none."""
    objects: Sequence[str] = ()
    """Declared columns that hold JSON objects and are in neither `bags` nor `properties`; a cell that is none rejects
    its row as `bad_json`."""
    bags: Mapping[str, Bag] | Callable[[Options], Mapping[str, Bag]] = field(default_factory=dict)
    """Columns with objects, or `REST` -> how they are opened."""
    unfold: str | None = None
    """The declared column whose JSON array gives a row for each of its elements: a session's hits, a batch's events.

    Each row has `POSITION`, the element's own text in that column, and everything else of its record. The column is to
    be in `objects`, `bags` or `properties`, which open an element as they open any object. An object in the place of an
    array is its one element. A record that has no elements (null, `[]`, no such key) stays one row, with null there and
    in `POSITION`: a filter may leave it out by name. What is neither array nor object rejects its record as `bad_json`,
    an element that is no object its row alone; an element that is null is no row, and counted (`null_element`).
    """
    properties: Sequence[str] = ()
    """Which of the columns with objects, or `REST`, become the event's properties, delivered together as `PROPERTIES`.

    Of a key that several of them hold the first counts; nulls are left out; `rename` and `claims` are heeded.
    """
    computed: Mapping[str, Computed] = field(default_factory=dict)
    """Columns that are computed, by name: of columns, those `inside` of objects, and those computed before them."""
    whole: bool = False
    """Whether rows are to have `WHOLE`, as what makes them one."""
    claims: frozenset[str] = frozenset()
    """Names of properties that are computed, so that a key of that name is not left in `PROPERTIES` but delivered
    under `OWN`; what a mapping gives as `extra`, and what the framework adds, is known without."""
    rename: Mapping[str, str | None] = field(default_factory=dict)
    """Source property -> its name in PostHog, or None to drop it by name; all others pass on unchanged."""
    filters: Mapping[str, Filter] = field(default_factory=dict)
    """Rule name -> predicate over rows; a row it holds for is left out and counted under that name. The first rule that
    holds counts; `--keep` turns one off."""
    warnings: Mapping[str, pl.Expr] = field(default_factory=dict)
    """What is counted and said -> predicate over rows; a row it holds for is mapped all the same."""
    dropped: frozenset[str] = frozenset()
    """Source columns deliberately not carried over, so that `REST` does not pass them on; see `copiers`."""
    left_out: Callable[[str], object] | None = None
    """Which undeclared columns go nowhere, if not all are carried over; a row with something in one is counted."""
    ids: Sequence[str] = ()
    """Columns, and those `inside` of objects, that hold ids: a word that means nothing is none (`expr.identifier`)."""
    times: Sequence[str] = ()
    """Columns, and those `inside` of objects, that hold the time of an event: what a row has that cannot be read."""
    nulls: Sequence[str] = ()
    """What stands for nothing in cells of CSV and TSV, beside no text at all and `\\N`; such cells are counted."""
    partitions: bool = False
    """Whether what folders `name=value` say is a property where it is declared by no column; else it is left out."""
    ordinals: bool = False
    """Identical rows of one file are different events: the n-th repeat gets a key of its own."""
    refusal: str | None = None
    """Why a file of this table cannot be migrated, and what to export instead."""
    missing: Callable[[Sequence[str]], str | None] | None = None
    """What the spec names and a file with these columns lacks (or has already), as a sentence, or None.

    For tables described by the user; called with the columns as the file spells them, raised as a `UsageError`.
    """

    @property
    def recover_keys(self) -> Sequence[pl.Expr]:
        """The keys of `recover`, as many as there are."""
        if self.recover is None:
            return ()
        return (self.recover,) if isinstance(self.recover, pl.Expr) else tuple(self.recover)

    def takes(self, columns: frozenset[str], file: str, name: str = "") -> bool:
        """Return whether a file with these columns, of this stem (both in lower case) and name, is of this table."""
        if self.files and not is_called(name, self.files):
            return False
        return self.matches(columns) and (self.file is None or self.file(file))

    def drops(self, columns: Iterable[str]) -> list[str]:
        """Return which of a file's columns are deliberately not carried over."""
        lowered = {name.lower() for name in self.dropped}
        return [name for name in columns if name.lower() in lowered]

    def joined(self) -> tuple[str, ...]:
        """Return the columns that its joins deliver."""
        return tuple(inside(name, column) for name, join in self.joins.items() for column in join.columns)

    def bags_under(self, options: Options) -> Mapping[str, Bag]:
        """Return how the objects of its columns are opened under these options."""
        return self.bags(options) if callable(self.bags) else self.bags

    def mistakes(self) -> Iterator[str]:
        """Yield what is wrong with the fields that name columns, a sentence each; those with letters for names first.

        What `bags` opens under options only is not known here: names inside of such objects are taken as they are.
        """
        lists = (
            "objects",
            "properties",
            "ids",
            "times",
            "link_columns",
            "dropped",
            "claims",
            "nulls",
            "files",
        )
        for name in lists:
            yield from mistakes.of_names(name, getattr(self, name) or ())
        for name in ("matches", "to_events"):
            yield from mistakes.of_function(name, getattr(self, name))
        for name in ("columns", "rename", "filters", "warnings", "computed"):
            yield from mistakes.of_mapping(name, getattr(self, name))
        bags = self.bags_under(Options())
        yield from mistakes.of_mapping("bags", bags)
        for column, bag in bags.items():
            yield from mistakes.of_names(f"bags[{column!r}].keys", bag.keys)
            yield from mistakes.of_names(f"bags[{column!r}].drops", bag.drops)
        own, objects = tuple(self.columns), (*self.columns, REST)
        yield from mistakes.of_columns("objects", self.objects, own)
        yield from mistakes.of_columns("bags", bags, objects)
        yield from mistakes.of_columns("properties", self.properties, objects)
        yield from self._unfolding(bags)
        opened = [name for column, bag in bags.items() for name in bag.columns(column)]
        varied = tuple(inside(column, "") for column in bags) if callable(self.bags) else ()
        if self.lookup is not None:
            yield from mistakes.of_names("lookup.files", self.lookup.files)
            yield from mistakes.of_columns("lookup.key", [self.lookup.key], own)
        known = [*own, *opened]
        for join, one in self.joins.items():
            yield from mistakes.of_names(f"joins[{join!r}].columns", one.columns)
            yield from mistakes.of_names(f"joins[{join!r}].nothing", one.nothing)
            if not one.on.startswith(varied):
                yield from mistakes.of_columns(f"joins[{join!r}].on", [one.on], known)
            known += [inside(join, column) for column in one.columns]
        read = (*objects, *opened, *self.joined())
        asked = {name: one.asked() for name, one in self.computed.items()}
        yield from mistakes.of_computed(asked, (*read, ROW, POSITION, PROPERTIES, OWN, WHOLE), varied)
        for name in ("ids", "times", "link_columns"):
            told = [one for one in getattr(self, name) or () if not one.startswith(varied)]
            yield from mistakes.of_columns(name, told, (*read, *self.computed))

    def _unfolding(self, bags: Mapping[str, Bag]) -> Iterator[str]:
        """Yield what is wrong with `unfold`."""
        if self.unfold is None:
            return
        yield from mistakes.of_columns("unfold", [self.unfold], tuple(self.columns))
        if self.unfold not in (*self.objects, *self.properties, *bags) and not callable(self.bags):
            yield f"unfold: nothing opens the objects in {self.unfold!r}; name it in objects, bags or properties"


@dataclass(frozen=True, kw_only=True)
class Headerless:
    """Files of delimited text without a header: which they are, how they are written, what their columns are called.

    A file whose first line is its header all the same is read with that. `--columns`, `--no-header`, `--delimiter`,
    `--dialect`, `--quote` and `--escape` stand over what is said here.
    """

    columns: Sequence[str] = ()
    """The names of the columns, in their order, of files that all have the same."""
    header_file: str | None = None
    """Or a glob of names of files whose first line is these names: the one nearest to a file is taken, see `Lookup`."""
    files: Sequence[str] = ()
    """Globs of names, without folders and `.gz`: such files alone are meant. Without them, those whose first rows have
    as many cells as `columns` has names."""
    delimiter: str | None = "\t"
    """None where the file shows it, as it shows its dialect then."""
    dialect: Literal["raw", "plain", "spark", "clickhouse"] | None = "raw"
    """How cells are written: `raw` has no quotes and no escapes, `clickhouse` all behind a backslash."""
    encoding: str | None = None
    """What text is in that is not UTF-8: "latin-1"."""

    def may_be(self, name: str) -> bool:
        """Return whether a source of this name is meant, as far as its name tells."""
        if self.header_file is not None and is_called(name, (self.header_file,)):
            return False
        return not self.files or is_called(name, self.files)

    def mistakes(self) -> Iterator[str]:
        """Yield what is wrong with it, a sentence each."""
        yield from mistakes.of_names("columns", self.columns)
        yield from mistakes.of_names("files", self.files)
        if bool(self.columns) == (self.header_file is not None):
            yield "expected either columns or a header_file, found both or none of them; say one"
        if self.header_file is not None and not self.files:
            yield "files: none, and by a header_file alone no file is told; name the files that it is for"


def is_called(name: str, globs: Sequence[str]) -> bool:
    """Return whether a source's name, without folders, matches one of these globs, compressed or not, in any case."""
    last = _FOLDERS.sub("", name.lower())
    return any(fnmatchcase(one, glob.lower()) for glob in globs for one in (last, _COMPRESSED.sub("", last)))


@dataclass(frozen=True, kw_only=True)
class Platform:
    """A platform: `mappings/<platform>.py` holds one as `MAPPING`. Most mappings need `title`, `reads` and `tables`."""

    title: str
    """What people call it: "Amplitude"."""
    tables: Sequence[Table] = ()
    """Its kinds of files; one that looks like another, and says more, stands before it."""
    reads: str = ""
    """The formats and shapes it takes, in a phrase."""
    options: frozenset[str] = frozenset()
    """Which of `CHOICES` it heeds; others are refused."""
    identity_version: int = 1
    """Raised with whatever decides an event's uuid, event, distinct_id, timestamp or merges: a workdir of another one
    plans nothing new, lest the same row become a second event. `tests/versions.py` tells when."""
    payload_version: int = 1
    """Raised with whatever else is sent: a workdir of another one goes on, and says so."""
    tables_of: Callable[[Options, Sequence[str]], Sequence[Table]] | None = None
    """The tables under the user's options and among files of these names, folders included, where either matters."""
    from_spec: Callable[[Mapping[str, Any]], Sequence[Table]] | None = None
    """Builds the tables from a TOML document, for platforms described by the user."""

    layout: Mapping[str, Any] = field(default_factory=dict)
    """How its delimited files are written, as far as a spec says it: fields of `readers.dialects.Layout`."""
    layout_of: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None
    """Reads `layout` from a TOML document, for platforms described by the user."""

    headerless: Sequence[Headerless] = ()
    """Its files that have no header; of those that one file is, the first counts."""
    headerless_of: Callable[[Mapping[str, Any]], Sequence[Headerless]] | None = None
    """Reads `headerless` from a TOML document, for platforms described by the user."""

    read_labels: Callable[[Any], Mapping[str, str]] | None = None
    """Reads a JSON document given as `--labels`, for platforms whose vendor writes one."""

    def __post_init__(self) -> None:
        """Raise a UsageError where a table names what it does not have.

        Here and not in `Table`, as readers narrow tables to the columns they want, and leave the other fields.
        """
        for mistake in self._mistakes():
            raise UsageError(f"{self.title}: {mistake}")

    def under(self, options: Options, files: Sequence[str]) -> "Platform":
        """Return the platform with the tables it has under these options, among files of these names."""
        return self if self.tables_of is None else replace(self, tables=self.tables_of(options, files))

    def table_for(self, columns: Iterable[str], file: str = "", name: str = "") -> Table | None:
        """Return the first table that a file with these columns, of this stem and name belongs to, or None."""
        lowered = frozenset(one.lower() for one in columns)
        return next((table for table in self.tables if table.takes(lowered, file.lower(), name)), None)

    def _mistakes(self) -> Iterator[str]:
        """Yield what is wrong with the platform and with its tables, the table's name before it."""
        yield from mistakes.of_names("options", self.options)
        for option in self.options - CHOICES:
            yield f"options: no such option {option!r}, known are {', '.join(sorted(CHOICES))}"
        for place, one in enumerate(self.headerless):
            yield from (f"headerless[{place}]: {mistake}" for mistake in one.mistakes())
        if isinstance(self.tables, Table):
            yield f"tables: expected a list of tables, found the table {self.tables.name!r}; write [Table(…)]"
        lookups = {table.name: tuple(table.columns) for table in self.tables if table.lookup is not None}
        for table in self.tables:
            yield from (f"{table.name}: {mistake}" for mistake in table.mistakes())
            for name, join in table.joins.items():
                if join.table not in lookups:
                    known = ", ".join(lookups) or "none"
                    yield f"{table.name}: joins[{name!r}].table: no lookup {join.table!r}, known are {known}"
                    continue
                field = f"{table.name}: joins[{name!r}].columns"
                yield from mistakes.of_columns(field, join.columns, lookups[join.table])


def has(*names: str) -> Callable[[frozenset[str]], bool]:
    """Return a `Table.matches` that holds when all these columns are there, in any case."""
    wanted = frozenset(name.lower() for name in names)
    return wanted.issubset


def words(text: str) -> tuple[str, ...]:
    """Return the words of a text, for long lists of columns: `dict.fromkeys(words("id action user at"), pl.String)`."""
    return tuple(text.split())
