"""The tables of docs/config.md, from the options and the rules: `python tests/configs.py` renews them."""

import re
from dataclasses import fields
from pathlib import Path

from migrate.cli.commands import cli
from migrate.cli.configured import keys_of
from migrate.cli.groups import GROUPS
from migrate.rules.declared import Rules

PAGE = Path(__file__).parent.parent / "docs" / "config.md"
PART = re.compile(r"(<!-- (keys|rules) -->\n).*?(<!-- end -->\n)", re.DOTALL)
ARGUMENTS = {
    "platform": "A name of `migrate platforms`.",
    "inputs": "What to read: files, folders, archives, addresses of storages.",
}


def keys():
    """Each key with what its option says, in the order of the help."""
    found = keys_of(cli.commands.values())
    names = [name for group in GROUPS.values() for name in group]
    order = [
        *ARGUMENTS,
        *sorted(found.keys() - ARGUMENTS.keys(), key=lambda key: names.index(found[key].name)),
    ]
    rows = [(key, ARGUMENTS.get(key) or found[key].help) for key in order]
    return ["| key | what it says |", "|---|---|", *(f"| `{key}` | {cell(text)} |" for key, text in rows)]


def rules():
    """Each rule with what it does and an example."""
    rows = [(one.name, one.metadata) for one in fields(Rules)]
    return [
        "| rule | what it does | example |",
        "|---|---|---|",
        *(f"| `{name}` | {cell(how['summary'])} | `{how['example']}` |" for name, how in rows),
    ]


def cell(text):
    """A text as a cell of a table."""
    return text.replace("  ", " ").replace("|", r"\|")


def renewed():
    """The page with both tables as they are now."""
    parts = {"keys": keys(), "rules": rules()}
    return PART.sub(
        lambda found: found[1] + "".join(f"{line}\n" for line in parts[found[2]]) + found[3],
        PAGE.read_text(encoding="utf-8"),
    )


if __name__ == "__main__":
    PAGE.write_text(renewed(), encoding="utf-8")
