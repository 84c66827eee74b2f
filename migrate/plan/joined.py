"""Rows → rows with what small tables tell of them: lookups held in memory, each found by a key of the row."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from migrate.jsontext.build import strings
from migrate.kit.declare import inside
from migrate.readers.records import Chunk

NOT_FOUND: Final = "not_found."
"""Under this, and the join's name, rows are counted whose key no row of the lookup has."""
_SEEDS: Final = range(64)


class Index:
    """A small table: columns of text by a key of text; of rows with the same key the last counts."""

    def __init__(self, keys: pl.Series, columns: pl.DataFrame) -> None:
        whole = columns.insert_column(0, keys.str.strip_chars().alias("")).drop_nulls("")
        single = whole.unique("", keep="last", maintain_order=True)
        self.conflicts = whole.unique().height - single.height
        """How many rows say something else than another row of their key."""
        for seed in _SEEDS:  # polars' hash is as good as random: the first nearly always tells all keys apart
            hashes = single[""].hash(seed)
            if hashes.n_unique() == single.height:
                break
        else:
            raise AssertionError("keys that no hash tells apart")
        self._seed, order = seed, hashes.arg_sort()
        self._hashes, self._rows = hashes.gather(order), single[order]

    @property
    def height(self) -> int:
        """How many keys there are."""
        return self._rows.height

    def places(self, keys: pl.Series) -> pl.Series:
        """Return where each of these keys stands, null where it does not.

        A join would hash all of the small table for each chunk, 66 µs a row of it if that has three million keys; this
        takes 3 µs then, and 0.2 µs a row if it has a thousand (measured).
        """
        if not self.height:
            return pl.Series([None], dtype=pl.UInt32).new_from_index(0, keys.len())
        keys = keys.str.strip_chars()
        found = self._hashes.search_sorted(keys.hash(self._seed)).clip(upper_bound=self.height - 1)
        is_it = (self._rows[""].gather(found) == keys).fill_null(value=False)
        return found.set(~is_it, None)

    def column(self, name: str, places: pl.Series) -> pl.Series:
        """Return what a column has at these places."""
        return self._rows[name].gather(places)


@dataclass(frozen=True)
class Joining:
    """One join of a file: what it is called, the column that holds the key, what is delivered, and of which table."""

    name: str
    on: str
    columns: Sequence[str]
    index: Index | None
    """None where there is no such table."""
    several: str | None = None
    """What divides the keys of a row, see `Join.several`."""

    nothing: Sequence[str] = ()
    """Keys that stand for none."""

    def found(self, keys: pl.Series) -> tuple[list[pl.Series], int]:
        """Return the columns of what is found for these keys, and how many are not found."""
        if self.index is None:
            nothing = pl.Series([None], dtype=pl.String).new_from_index(0, keys.len())
            return [
                nothing.alias(inside(self.name, name)) for name in self.columns
            ], keys.len() - keys.null_count()
        if self.several is None:
            places = self.index.places(keys)
            found = [self.index.column(name, places).alias(inside(self.name, name)) for name in self.columns]
            return found, int((places.is_null() & keys.is_not_null()).sum())
        rows = pl.DataFrame(
            {"row": pl.int_range(keys.len(), eager=True), "key": keys.str.split(self.several)}
        )
        each = rows.explode("key")
        places = self.index.places(each["key"])
        lists = (self._listed(self.index.column(name, places), each["row"]) for name in self.columns)
        given = keys.is_not_null()
        found = [
            one.set(~given, None).alias(inside(self.name, name))
            for one, name in zip(lists, self.columns, strict=True)
        ]
        return found, int((places.is_null() & each["key"].is_not_null()).sum())

    @staticmethod
    def _listed(values: pl.Series, rows: pl.Series) -> pl.Series:
        """Return the values of each row as a JSON list."""
        texts = pl.DataFrame({"row": rows, "text": strings(values).fill_null("null")})
        lists = texts.group_by("row", maintain_order=True).agg(pl.col("text"))
        return lists.select_seq(pl.format("[{}]", pl.col("text").list.join(","))).to_series()


@dataclass(frozen=True)
class Joined:
    """All joins of a file, one after another: a later one may go by a column of an earlier one."""

    joins: Sequence[Joining]

    def add(self, chunk: Chunk) -> Chunk:
        """Return the chunk with the joined columns, each named `inside`; what is not found is null, and counted.

        Joins by columns that the rows lack, as those do that are read for few columns, are left out.
        """
        rows, counts = chunk.rows, Counter(chunk.counts)
        for one in self.joins:
            if one.on not in rows.columns:
                continue
            keys = rows[one.on].cast(pl.String)
            if one.nothing:
                keys = keys.set(keys.str.strip_chars().is_in(one.nothing), None)
            columns, missing = one.found(keys)
            if missing:
                counts[f"{NOT_FOUND}{one.name}"] += missing
            rows = rows.with_columns(columns)
        return replace(chunk, rows=rows, counts=counts)
