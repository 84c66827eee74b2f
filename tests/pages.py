"""The parts of docs/platforms that are taken from the mappings: `python tests/pages.py` renews them."""

import re
import sys
from importlib import import_module
from pathlib import Path

import polars as pl
from frames import opened
from samples import spec

from migrate import platforms
from migrate.kit.declare import Options

PAGES = Path(__file__).parent.parent / "docs" / "platforms"
PART = re.compile(r"(<!-- from the mapping: (\w+) -->\n).*?(<!-- end -->\n)", re.DOTALL)
TELLS = {
    "to_profiles": "persons",
    "to_groups": "groups",
    "to_links": "who is who",
    "to_recoveries": "what rows of other files lack",
}
HEADS = ("mp_reserved_", "mp_", "param_", "")
"""What stands before a source's own names, where many are renamed alike."""
MANY = 10
"""Names that are not listed twice."""


def quoted(names):
    """Names in the order of the alphabet, as code."""
    return ", ".join(f"`{name}`" for name in sorted(names))


def grouped(pairs):
    """Names by what they have in common, in the order in which that is met first."""
    found = {}
    for name, common in pairs:
        found.setdefault(common, []).append(name)
    return [(names, common) for common, names in found.items()]


def of_tables(names, tables):
    """For which tables something holds, in words."""
    others = {table.name for table in tables} - set(names)
    if not others:
        return "all tables" if len(tables) > 1 else f"`{tables[0].name}`"
    return f"all tables but {quoted(others)}" if len(others) < len(names) else quoted(names)


def read(platform):
    """The tables that are read, and those that are only recognised."""
    known = platforms.platform(platform, spec(platform)).tables
    return [table for table in known if not table.refusal], [table for table in known if table.refusal]


def tables(platform):
    """The tables, what each becomes, which rows a rule leaves out, what is counted; and what is refused."""
    taken, refused = read(platform)
    rows = ["| table | tells | left out, by rule | counted as a warning |", "|---|---|---|---|"]
    for names, cells in grouped((table.name, row(table)) for table in taken):
        rows.append("|" + "|".join(f" {cell} " if cell else " " for cell in (quoted(names), *cells)) + "|")
    if refused:
        rows += ["", "Refused, with these words:", ""]
        rows += [f"* `{table.name}`: {table.refusal}." for table in refused]
    return rows


def row(table):
    """What a table tells, its rules and its warnings."""
    tells = ["events"] if makes_events(table) else []
    tells += [word for name, word in TELLS.items() if getattr(table, name)]
    return ", ".join(tells) or "nothing", quoted(table.filters), quoted(table.warnings)


def makes_events(table):
    """Whether a row of the table is an event, as an empty one shows it."""
    options, empty = Options(), pl.DataFrame({"_row": [1]}, schema={"_row": pl.Int64})
    return table.to_events(opened(table, empty, options).lazy(), options).collect().height > 0


def options(platform):
    """The options that only some platforms heed."""
    heeded = platforms.mapping(platform).options
    return [f"Of the options that only some platforms heed: {quoted(heeded) or 'none'}."]


def dropped(platform):
    """Which columns and properties go nowhere, by the tables that have them."""
    taken, _ = read(platform)
    where = {}
    for table in taken:
        for name in table.dropped | {old for old, new in table.rename.items() if new is None}:
            where.setdefault(name, []).append(table.name)
    found = grouped((name, tuple(where[name])) for name in sorted(where))
    return [f"* {of_tables(names, taken)}: {quoted(gone)}" for gone, names in found]


def renamed(platform):
    """Which properties have another name from then on, by table; those that are renamed alike together."""
    taken, _ = read(platform)
    rows, shown = [], {}
    found = grouped(
        (table.name, tuple((old, new) for old, new in table.rename.items() if new)) for table in taken
    )
    for names, pairs in found:
        alike = [(old, shape(old, new)) for old, new in pairs]
        words = [written(olds, common, names, shown) for olds, common in grouped(alike)]
        rows += [f"* {of_tables(names, taken)}: {', '.join(words)}"] if words else []
    return rows


def shape(old, new):
    """What stands before the old name and before the new one; the names themselves where they are not alike."""
    head = next(head for head in HEADS if old.startswith(head))
    bare = old.removeprefix(head)
    return (head, new.removesuffix(bare), "…") if new.endswith(bare) and len(bare) > 1 else (old, new, "")


def written(olds, common, tables, shown):
    """One way of renaming, with all that it holds for; what was `shown` for other tables is not said again."""
    before, after, rest = common
    way = f"`{before}{rest}` → `{after}{rest}`"
    if not rest:
        return way
    bare = quoted(old.removeprefix(before) for old in olds)
    first = shown.setdefault(bare, tables)
    return f"{way} ({bare if first is tables or len(olds) < MANY else f'the same as {quoted(first)}'})"


def names(platform):
    """Which events have another name in PostHog."""
    found = grouped(import_module(f"mappings.{platform}").NAMES.items())
    rows = ["| event in the source | event in PostHog |", "|---|---|"]
    return rows + [f"| {', '.join(f'`{old}`' for old in olds)} | `{new}` |" for olds, new in found]


PARTS = {"tables": tables, "options": options, "dropped": dropped, "renamed": renamed, "names": names}


def renewed(platform):
    """The platform's page as it should be."""
    text = (PAGES / f"{platform}.md").read_text(encoding="utf-8")
    return PART.sub(lambda found: found[1] + "\n".join([*PARTS[found[2]](platform), ""]) + found[3], text)


if __name__ == "__main__":
    for name in sys.argv[1:] or platforms.names():
        (PAGES / f"{name}.md").write_text(renewed(name), encoding="utf-8")
