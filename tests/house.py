"""The tables of modules in CONTRIBUTING.md, one a room: `python tests/house.py` renews them."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "migrate").rglob("*.py"))
PAGE = ROOT / "CONTRIBUTING.md"
TABLES = re.compile(r"(<!-- modules -->\n)(.*?)(<!-- end -->\n)", re.DOTALL)
WAY = (
    "cli",
    "stores",
    "inputs",
    "readers",
    "inspection",
    "kit",
    "plan",
    "rules",
    "people",
    "payload",
    "jsontext",
    "workdir",
    "apply",
    "asking",
    "fetching",
    "sandbox",
)
"""The rooms in the order in which data goes through them; a room that is not named comes after these."""
HEAD = "\n| module | what it is for |\n|---|---|\n"


def summary(path):
    """The first line of a module's docstring."""
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n")[0]


def room(path):
    """The folder in which a module lies, nothing for those beside the rooms."""
    inside = path.relative_to(ROOT / "migrate")
    return inside.parts[0] if len(inside.parts) > 1 else ""


def name(path):
    """What a module is called within its room, nothing for the page of the room itself."""
    inside = path.relative_to(ROOT / "migrate")
    shown = Path(*inside.parts[1:]) if room(path) else inside
    return "" if shown == Path("__init__.py") else shown.as_posix()


def place(found):
    """Where a room stands among the others."""
    return (not found, WAY.index(found) if found in WAY else len(WAY), found)


def table(found):
    """A room: what lives there, and its modules."""
    paths = [path for path in MODULES if room(path) == found and path.name != "__main__.py"]
    own = ROOT / "migrate" / found / "__init__.py"
    title = f"**`migrate/{found}/`** {summary(own)}" if found else "**`migrate/`** Beside the rooms:"
    rows = [f"| `{name(path)}` | {summary(path)} |\n" for path in paths if name(path)]
    return f"{title}\n{HEAD}{''.join(rows)}"


def tables():
    """All rooms, in the order of the data."""
    return "\n" + "\n".join(table(one) for one in sorted({room(path) for path in MODULES}, key=place)) + "\n"


def parts():
    """The page before the tables, the tables, and the page after them."""
    text = PAGE.read_text(encoding="utf-8")
    found = TABLES.search(text)
    return text[: found.start(2)], found[2], text[found.end(2) :]


if __name__ == "__main__":
    before, _, after = parts()
    PAGE.write_text(before + tables() + after, encoding="utf-8")
