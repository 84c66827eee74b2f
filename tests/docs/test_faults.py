"""What a sandbox can be told to do wrong stands in docs/reliability.md, each fault with all of its fields."""

import json

import msgspec
from markdown import ROOT, rows

from migrate.sandbox import faults, lapses
from migrate.sandbox.fault import Fault

DOCUMENT = ROOT / "docs" / "reliability.md"
COMMON = Fault.__struct_fields__


def told(field):
    """A field as the table has it: with its default, or that it is needed."""
    if field.required:
        return f"`{field.name}` (needed)"
    return (
        f"`{field.name}`" if field.default in (None, ()) else f"`{field.name}` ({json.dumps(field.default)})"
    )


def table(kinds):
    """What a table says of rules."""
    return [
        [
            f"`{name}`",
            kind.__doc__.splitlines()[0].removesuffix("."),
            ", ".join(told(field) for field in msgspec.structs.fields(kind) if field.name not in COMMON),
        ]
        for name, kind in kinds.items()
    ]


def test_the_tables_of_faults_are_the_code():
    """Names, what each does and its fields, in the code's order: those of capture, then those of the private API."""
    expected = [*table(faults.KINDS), *table(lapses.KINDS)]
    head = ["rule", "what happens", "its fields"]
    assert [row for row in rows(DOCUMENT, "Something to try against") if row != head] == expected


def test_what_every_rule_takes_is_named():
    """In the sentence below the tables."""
    text = DOCUMENT.read_text().split("## Something to try against")[1].split("\n## ")[0]
    assert [name for name in COMMON if f"`{name}`" not in text] == []
