"""The table of modules under "The house" in CONTRIBUTING.md: `python tests/house.py` renews it."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "migrate").rglob("*.py"))
PAGE = ROOT / "CONTRIBUTING.md"
ROWS = re.compile(r"(?:^\| `[^`]+` \| .+ \|\n)+", re.MULTILINE)


def summary(path):
    """The first line of a module's docstring."""
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n")[0]


def name(path):
    """What a module is called in the table: folders before what lies in them, the ways to start one not at all."""
    inside = path.relative_to(ROOT / "migrate")
    if path.name != "__init__.py":
        return inside.as_posix()
    return "" if inside.parent == Path() else f"{inside.parent.as_posix()}/"


def table():
    """The rows, folders first."""
    named = {name(path): path for path in MODULES if path.name != "__main__.py" and name(path)}
    order = sorted(named, key=lambda module: ("/" not in module, module.split("/")))
    return "".join(f"| `{module}` | {summary(named[module])} |\n" for module in order)


def parts():
    """The page before the rows, the rows, and the page after them."""
    text = PAGE.read_text(encoding="utf-8")
    found = ROWS.search(text, text.index("\n## The house\n"))
    return text[: found.start()], found[0], text[found.end() :]


if __name__ == "__main__":
    before, _, after = parts()
    PAGE.write_text(before + table() + after, encoding="utf-8")
