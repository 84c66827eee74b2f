"""What a sandbox can be told to do wrong stands in docs/reliability.md, each fault with all of its fields."""

import json

import msgspec
from markdown import ROOT, rows

from migrate.sandbox.faults import KINDS, Fault

DOCUMENT = ROOT / "docs" / "reliability.md"
COMMON = Fault.__struct_fields__


def told(field):
    """A field as the table has it: with its default, or that it is needed."""
    if field.required:
        return f"`{field.name}` (needed)"
    return f"`{field.name}`" if field.default is None else f"`{field.name}` ({json.dumps(field.default)})"


def test_the_table_of_faults_is_the_code():
    """Names, what each does and its fields, in the code's order."""
    expected = [
        [
            f"`{name}`",
            kind.__doc__.splitlines()[0].removesuffix("."),
            ", ".join(told(field) for field in msgspec.structs.fields(kind) if field.name not in COMMON),
        ]
        for name, kind in KINDS.items()
    ]
    assert rows(DOCUMENT, "Something to try against") == expected


def test_what_every_rule_takes_is_named():
    """In the sentence below the table."""
    text = DOCUMENT.read_text().split("## Something to try against")[1].split("\n## ")[0]
    assert [name for name in COMMON if f"`{name}`" not in text] == []
