"""Who may import whom: the house keeps its doors."""

import ast
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "migrate").rglob("*.py"))
MAPPINGS = sorted((ROOT / "mappings").glob("*.py"))

HOMES = {
    "aiohttp": {"transport", "sandbox"},
    "babel": {"countries"},
    "click": {"cli"},
    "fastavro": {"readers"},
    "isal": {"inputs", "sandbox", "transport"},
    "polars_hash": {"expr"},
    "rich": {"report"},
    "sqlite3": {"checkpoint", "people", "peoplefile", "sandbox"},
    "zstandard": {"inputs", "transport"},
}
"""Each library that has one home, or two; all other modules do without it."""

PLAN_FILES = {"dayfile", "days", "merge", "ordinals", "report", "states"}
"""They read and write the plan's own Parquet files, which are nobody's export."""

SERVING = ("aiohttp.web", "aiohttp.ClientPayloadError", "aiohttp.typedefs")
"""What a server uses of aiohttp; the error is that of a request body cut short, the types those of its handlers."""

FORMATS = {"pyarrow.csv", "pyarrow.json", "pyarrow.dataset", "pyarrow.orc", "pyarrow.feather", "csv"}
READING = re.compile(r"^(read|scan)_(csv|ndjson|json|parquet|avro|ipc|excel|database|delta)$")


def name(path):
    """A module's name inside `migrate`, of a package that of the package."""
    return path.relative_to(ROOT / "migrate").parts[0].removesuffix(".py")


def cases(paths):
    """The paths as parameters."""
    return [pytest.param(path, id=path.relative_to(ROOT).as_posix()) for path in paths]


def imported(path):
    """The dotted names a module imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_of(dotted, *packages):
    """Whether a name is one of the packages or in one."""
    return any(dotted == package or dotted.startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize("path", cases(MAPPINGS))
def test_mappings_import_little(path):
    """A mapping knows events, links, expressions, spellings, what rows share and what a mapping is, and polars.

    Three read what is no object, value by value.
    """
    ours = [f"migrate.{module}" for module in ("distinct", "events", "expr", "links", "mapping", "values")]
    ours += ["migrate.errors"] if path.name == "table.py" else []
    ours += ["migrate.jsontext"] if path.name in {"_ga4_nested.py", "_forms.py", "_mixpanel_ids.py"} else []
    ours += ["msgspec"] if path.name in {"_ga4_nested.py", "_forms.py", "_mixpanel_ids.py"} else []
    ours += [f"mappings.{shared.stem}" for shared in MAPPINGS if shared.stem.startswith("_")]
    known = {*ours, "polars", *sys.stdlib_module_names}
    assert [dotted for dotted in imported(path) if not is_of(dotted, *known)] == []


@pytest.mark.parametrize("path", cases(MODULES))
def test_libraries_have_one_home(path):
    """A library that has a home is imported nowhere else, and mappings are loaded by name, never imported."""
    for dotted in imported(path):
        home = HOMES.get(dotted.split(".")[0], {name(path)})
        assert name(path) in home, f"{dotted} belongs in {' and '.join(sorted(home))}"
        assert not dotted.startswith("mappings."), f"{dotted}: mappings are found by their file names"


def test_the_sandbox_is_no_client():
    """The sandbox serves; only the transport sends."""
    for path in (ROOT / "migrate" / "sandbox").glob("*.py"):
        found = [dotted for dotted in imported(path) if is_of(dotted, "aiohttp")]
        assert [dotted for dotted in found if not is_of(dotted, *SERVING)] == [], path


@pytest.mark.parametrize("path", cases(MODULES))
def test_only_readers_read_formats(path):
    """Export formats are read in `readers`; elsewhere only the plan's own Parquet files are."""
    if name(path) == "readers":
        return
    found = set(imported(path))
    assert not [dotted for dotted in found if is_of(dotted, *FORMATS)]
    if any(is_of(dotted, "pyarrow.parquet") for dotted in found):
        assert name(path) in PLAN_FILES
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    calls = {node.attr for node in nodes if isinstance(node, ast.Attribute) and READING.match(node.attr)}
    plans = {"scan_parquet"} if name(path) in PLAN_FILES else set()
    assert calls <= plans


@pytest.mark.parametrize("path", cases([*MODULES, *MAPPINGS]))
def test_every_module_says_what_it_is_for(path):
    """A module opens with a sentence of one line."""
    first = summary(path)
    assert first
    assert first.endswith((".", ":"))


def summary(path):
    """The first line of a module's docstring."""
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n")[0]


def test_the_readme_names_every_module():
    """The table under "The house" has every module of `migrate/`, each with the first line of its docstring."""
    house = (
        (ROOT / "README.md")
        .read_text(encoding="utf-8")
        .partition("\n## The house\n")[2]
        .partition("\n## ")[0]
    )
    table = dict(re.findall(r"^\| `([^`]+)` \| (.+?) \|$", house, re.MULTILINE))
    if not table:
        pytest.skip("the README has no table of modules")
    assert table == {module: summary(path) for module, path in houses().items()}


def houses():
    """The modules the README tells of: files, and packages by their folder, without `__init__` and `__main__`."""
    files = {path.name: path for path in (ROOT / "migrate").glob("*.py") if not path.name.startswith("__")}
    packages = {f"{path.parent.name}/": path for path in (ROOT / "migrate").glob("*/__init__.py")}
    return files | packages
