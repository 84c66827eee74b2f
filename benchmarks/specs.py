"""What a spec's own words cost: SQL, maps, paths, links, filters, joins, exploded arrays, against a spec without them.

Processor time of whole processes of `migrate plan`, over flat Parquet, in turn; the first round is not counted.
What is exploded are the same rows, ten in a record, as a list of Parquet and as lines of JSON.
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Final

import polars as pl
from measuring import measured

MIGRATE: Final = "from migrate.cli.main import main; main()"
_PLAIN: Final = """\
event = "kind"
distinct_id = ["user_id", "device_id"]
timestamp = "at"
dedup_key = ["id"]

[set]
plan = "plan"
"""
_EXPLODED: Final = 'explode = "rows"\n' + _PLAIN.replace('"kind"', '"rows.kind"').replace(
    '"user_id", "device_id"', '"rows.user_id", "rows.device_id"'
).replace('"at"', '"rows.at"').replace('["id"]', '["rows.id"]').replace('plan = "plan"', 'plan = "rows.plan"')
_SPECS: Final = {
    "plain": _PLAIN,
    "sql": _PLAIN.replace(
        '"kind"', "{sql = \"CASE kind WHEN 'view' THEN '$pageview' ELSE kind END\"}"
    ).replace('["user_id", "device_id"]', "{sql = \"COALESCE(user_id, 'd-' || device_id)\"}")
    + '\n[types]\namount = "float"\n\n[properties]\nnet = {sql = "ROUND(amount / 1.19, 2)"}\n',
    "map, path, link, filter": "where = \"is_test = '0'\"\n"
    + _PLAIN
    + '\n[events]\nview = "$pageview"\n\n[properties]\nsku = "item.sku"\n\n[[links]]\nanonymous = "device_id"\n'
    'identified = "user_id"\n',
    "join": '[[table]]\nname = "events"\nfiles = ["rows.parquet"]\n'
    + _PLAIN.replace("[set]", "[table.set]").replace('"plan"', '"plans.name"')
    + '\n[table.join.plans]\ntable = "plans"\non = "plan"\ncolumns = ["name"]\n'
    '\n[[table]]\nname = "plans"\nfiles = ["plans.csv"]\nkey = "id"\n',
    "explode, Parquet": _EXPLODED,
    "explode, JSON lines": _EXPLODED,
}
_FILES: Final = {
    "join": ("rows.parquet", "plans.csv"),
    "explode, Parquet": ("records.parquet",),
    "explode, JSON lines": ("records.jsonl",),
}
_EACH: Final = 10
"""So many rows are in a record."""


def rows(count: int) -> pl.DataFrame:
    """Return rows of 14 columns: text, numbers, a time, and an object."""
    place = pl.int_range(count, eager=True)
    person = place % max(1, count // 50)
    return pl.select(
        id=pl.format("e-{}", place),
        kind=pl.Series(["view", "add", "order", "view"]).gather(place % 4),
        user_id=pl.when(place % 3 > 0).then(pl.format("u-{}", person)),
        device_id=pl.format("device-{}", person),
        at=pl.datetime(2024, 1, 1, time_zone="UTC") + pl.duration(milliseconds=place * 7_776),
        plan=pl.Series(["free", "team", "firm"]).gather(person % 3),
        amount=(place % 9_999) / 100,
        quantity=place % 7,
        url=pl.format("https://shop.example/products/{}?ref=mail", place % 500),
        title=pl.format("Product number {}", place % 500),
        country=pl.Series(["DE", "FR", "BR", "US", "JP"]).gather(person % 5),
        is_test=(place % 100 == 0).cast(pl.Int8).cast(pl.String),
        item=pl.struct(sku=pl.format("sku-{}", place % 500), left=place % 90),
        is_member=place % 2 == 0,
    )


def main() -> None:
    """Measure every spec in turn and print what each takes of the plain one's speed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    choices = parser.parse_args()
    found: dict[str, list[float]] = {name: [] for name in _SPECS}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        flat = rows(choices.rows)
        flat.write_parquet(folder / "rows.parquet", row_group_size=100_000)
        record = (pl.int_range(flat.height, eager=True) // _EACH).alias("record")
        records = flat.select(record, pl.struct(flat.columns).alias("rows"))
        records = records.group_by("record", maintain_order=True).agg("rows")
        records.write_parquet(folder / "records.parquet", row_group_size=100_000 // _EACH)
        records.write_ndjson(folder / "records.jsonl")
        (folder / "plans.csv").write_text("id,name\nfree,Free\nteam,Team\nfirm,Firm\n")
        for place in range(choices.rounds + 1):
            for name, text in _SPECS.items():
                spec, workdir = folder / "spec.toml", folder / f"{place}-{[*_SPECS].index(name)}"
                spec.write_text(text)
                inputs = [folder / one for one in _FILES.get(name, ("rows.parquet",))]
                command = [sys.executable, "-c", MIGRATE, "plan", "table", *inputs]
                run = measured([*command, "--spec", spec, "--workdir", workdir, "--quiet"])
                if place:
                    found[name].append(run.cpu)
    plain = statistics.median(found["plain"])
    print(f"{choices.rows:,} rows, {choices.rounds} rounds\n")
    print(f"{'spec':<26}{'µs a row':>10}{'speed':>8}")
    for name, times in found.items():
        took = statistics.median(times)
        print(f"{name:<26}{took / choices.rows * 1e6:>10.2f}{plain / took:>8.2f}")


if __name__ == "__main__":
    main()
