"""Who may import whom: the house keeps its doors."""

import ast
import re
import sys
from graphlib import TopologicalSorter

import house
import markdown
import pytest

ROOT = house.ROOT
MODULES = house.MODULES
MAPPINGS = sorted((ROOT / "mappings").rglob("*.py"))

ROOMS = {
    "jsontext": set(),
    "stores": set(),
    "inputs": {"stores"},
    "workdir": {"stores"},
    "kit": {"jsontext"},
    "readers": {"inputs", "jsontext", "kit"},
    "inspection": {"inputs", "jsontext", "kit", "readers"},
    "payload": {"jsontext", "kit", "readers"},
    "people": {"jsontext", "kit", "payload", "workdir"},
    "rules": {"jsontext", "kit", "payload", "people"},
    "plan": {"inputs", "jsontext", "kit", "payload", "people", "readers", "rules", "workdir"},
    "apply": {"jsontext", "payload", "workdir"},
    "asking": {
        "apply.capture",
        "apply.capture_v0",
        "apply.halt",
        "apply.outcome",
        "apply.pacing",
        "apply.question",
        "apply.target",
        "apply.unanswered",
        "workdir",
    },
    "fetching": {
        "apply.capture",
        "apply.outcome",
        "apply.pacing",
        "apply.target",
        "apply.unanswered",
        "stores",
        "workdir.disk",
        "workdir.hold",
    },
    "verifying": {"apply.halt", "apply.groups", "apply.target", "asking", "workdir"},
    "sandbox": set(),
}
"""Each folder, and what it may import beside the ground: others, or one module of them."""

GROUND = {
    "SANDBOX",
    "VERSION",
    "ahead",
    "errors",
    "jsonlines",
    "log",
    "logline",
    "naming",
    "numbering",
    "patterns",
    "screen",
    "throwaway",
    "transactions",
}
"""What every folder may import; it imports no folder."""

HOMES = {
    "aiohttp": {"apply.http", "apply.unanswered", "asking.http", "fetching.http", "sandbox", "serving"},
    "babel": {"kit.countries"},
    "botocore": {"stores"},
    "click": {"cli"},
    "cloudpickle": {"plan.handing"},
    "dask": {"plan.cluster"},
    "distributed": {"plan.cluster"},
    "fastavro": {"readers"},
    "jinja2": {"page.compiled", "page.render"},
    "isal": {"apply.packing", "inputs", "sandbox"},
    "markupsafe": {"page"},
    "obstore": {"stores"},
    "polars_hash": {"kit.uuids"},
    "prometheus_client": {"report.metrics"},
    "rich": {"report.terminal"},
    "sqlite3": {
        "people",
        "sandbox",
        "transactions",
        "workdir.checkpoint",
        "workdir.database",
        "workdir.hold",
    },
    "zstandard": {"inputs", "sandbox"},
}
"""Each library that has one home, or two; all other modules do without it."""

PLAN_FILES = {
    "apply.groups",
    "apply.merge",
    "apply.runs",
    "people.statefiles",
    "plan.ordinals",
    "report.estimates",
    "workdir.dayfile",
    "workdir.ordered",
}
"""They read and write the plan's own Parquet files, which are nobody's export."""

SERVING = ("aiohttp.web", "aiohttp.ClientPayloadError", "aiohttp.typedefs")
"""What a server uses of aiohttp; the error is that of a request body cut short, the types those of its handlers."""

DOORS = {"cells", "copiers", "declare", "distinct", "events", "expr", "links", "nulls", "objects", "values"}
"""What of the kit mappings are written with; its other modules serve these."""

FORMATS = {"pyarrow.csv", "pyarrow.json", "pyarrow.dataset", "pyarrow.orc", "pyarrow.feather", "csv"}
READING = re.compile(r"^(read|scan)_(csv|ndjson|json|parquet|avro|ipc|excel|database|delta)$")


def name(path):
    """A module's dotted name inside `migrate`."""
    return ".".join(path.relative_to(ROOT / "migrate").with_suffix("").parts)


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


def ours(path):
    """What a module imports of `migrate`, without that word."""
    for dotted in imported(path):
        if is_of(dotted, "migrate"):
            yield dotted.removeprefix("migrate.")


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_rooms_keep_their_doors(room):
    """A folder imports only the folders that it may: plan and apply never meet, and no two know each other."""
    for path in sorted((ROOT / "migrate" / room).rglob("*.py")):
        known = {room, *ROOMS[room], *GROUND}
        assert [dotted for dotted in ours(path) if not is_of(dotted, *known)] == [], path


def test_every_folder_is_a_room():
    """A folder that is new says what it may import, and the rooms stand on floors: none is above what it imports."""
    folders = {path.parent.name for path in (ROOT / "migrate").glob("*/__init__.py")}
    assert folders - {"cli", "laws", "page", "report", "serving"} == set(
        ROOMS
    )  # those stand above what lies beside the rooms
    floors = list(ROOMS)
    for room, below in ROOMS.items():
        assert all(floors.index(other.split(".")[0]) < floors.index(room) for other in below)


def test_the_page_shows_what_is_known():
    """It stands above the report and the workdir, knows nothing of what reads, plans or sends, and serves the cli."""
    for path in sorted((ROOT / "migrate" / "page").rglob("*.py")):
        known = {"page", "report", "workdir", *GROUND}
        assert [dotted for dotted in ours(path) if not is_of(dotted, *known)] == [], path
    users = {name(path).split(".")[0] for path in MODULES for dotted in ours(path) if is_of(dotted, "page")}
    assert users <= {"cli", "page"}


def test_no_module_is_imported_in_a_circle():
    """Whatever is imported late, or for its types alone, counts."""
    modules = {name(path): path for path in MODULES}
    graph = {
        module: {
            other
            for dotted in ours(path)
            for other in (dotted, dotted.rpartition(".")[0])
            if other in modules
        }
        for module, path in modules.items()
    }
    assert list(TopologicalSorter(graph).static_order())


def test_the_ground_stands_by_itself():
    """What all may import imports no folder."""
    for module in GROUND - {"SANDBOX", "VERSION"}:
        found = ours(ROOT / "migrate" / f"{module}.py")
        assert [dotted for dotted in found if not is_of(dotted, *GROUND)] == []


@pytest.mark.parametrize("path", cases(MAPPINGS))
def test_mappings_import_little(path):
    """A mapping knows the kit's doors, the errors, polars and what it shares with other mappings; nothing else."""
    ours = [f"migrate.kit.{door}" for door in DOORS] + ["migrate.errors"]
    ours += [f"mappings.{shared.stem}" for shared in MAPPINGS if shared.stem.startswith("_")]
    known = {*ours, "polars", *sys.stdlib_module_names}
    assert [dotted for dotted in imported(path) if not is_of(dotted, *known)] == []


def test_the_doors_are_what_mappings_use():
    """Each door of the kit is used by a mapping, and named on the kit's page."""
    used = {dotted for path in MAPPINGS for dotted in imported(path) if is_of(dotted, "migrate.kit")}
    assert {door for door in DOORS if any(is_of(one, f"migrate.kit.{door}") for one in used)} == DOORS
    page = (ROOT / "migrate" / "kit" / "__init__.py").read_text(encoding="utf-8")
    assert [door for door in sorted(DOORS) if f"\n    {door} " not in page] == []


@pytest.mark.parametrize("path", cases(MODULES))
def test_libraries_have_one_home(path):
    """A library that has a home is imported nowhere else, and mappings are loaded by name, never imported."""
    for dotted in imported(path):
        home = HOMES.get(dotted.split(".")[0], {name(path)})
        assert is_of(name(path), *home), f"{dotted} belongs in {' and '.join(sorted(home))}"
        assert not dotted.startswith("mappings."), f"{dotted}: mappings are found by their file names"


def test_servers_are_no_clients():
    """The sandbox and the page serve; only the transport sends."""
    for path in [path for room in ("sandbox", "serving") for path in (ROOT / "migrate" / room).glob("*.py")]:
        found = [dotted for dotted in imported(path) if is_of(dotted, "aiohttp")]
        assert [dotted for dotted in found if not is_of(dotted, *SERVING)] == [], path


@pytest.mark.parametrize("path", cases(MODULES))
def test_only_readers_read_formats(path):
    """Export formats are read in `readers`; elsewhere only the plan's own Parquet files are."""
    if is_of(name(path), "readers"):
        return
    found = set(imported(path))
    assert not [dotted for dotted in found if is_of(dotted, *FORMATS)]
    if any(is_of(dotted, "pyarrow.parquet") for dotted in found):
        assert name(path) in PLAN_FILES
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    calls = {node.attr for node in nodes if isinstance(node, ast.Attribute) and READING.match(node.attr)}
    plans = {"scan_parquet"} if name(path) in PLAN_FILES else set()
    assert calls <= plans


POSSESSIVE = re.compile(r"\(\?>|(?:^|[^\\])\)(?:[*+?]|\{[\d,]*\})\+")
"""A group that gives nothing back, in the text of a pattern."""
PATTERNS = ROOT / "migrate" / "patterns.py"


@pytest.mark.parametrize("path", cases([path for path in [*MODULES, *MAPPINGS] if path != PATTERNS]))
def test_groups_that_give_nothing_back_have_one_home(path):
    """`(?:…)*+` is wrong before Python 3.11.5, and `(?>…)` slow: `patterns.kept` and `patterns.woven` are neither."""
    texts = (node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant))
    found = (text.decode("latin-1") if isinstance(text, bytes) else str(text) for text in texts)
    assert [text for text in found if POSSESSIVE.search(text)] == []


@pytest.mark.parametrize("path", cases([*MODULES, *MAPPINGS]))
def test_every_module_says_what_it_is_for(path):
    """A module opens with a sentence of one line."""
    first = house.summary(path)
    assert first
    assert first.endswith((".", ":"))


def test_contributing_names_every_module():
    """The tables under "The house" have every module of `migrate/`, each with the first line of its docstring."""
    assert house.parts()[1] == house.tables()


MIRRORLESS = {
    "cli/groups.py": "names of options, which the test of cli.commands reads",
    "inputs/spans.py": "values, which the test of readers.spans reads",
    "kit/copiers.py": "names of columns",
    "kit/spellings.py": "words, which the test of kit.values reads",
    "people/schema.py": "SQL, which the tests of people.store and people.file run",
    "plan/notes.py": "values without behaviour",
    "plan/transform.py": "a value without behaviour",
    "sandbox/fault.py": "hooks that do nothing, which the test of sandbox.faults overrides",
    "workdir/disk.py": "only a power cut would show what it is for",
}
"""Modules without a test of their own, and why they need none."""


def test_every_module_has_its_mirror():
    """A module's promises are tested by `tests/<room>/test_<module>.py`, but for those that say why not."""
    modules = {path.relative_to(ROOT / "migrate") for path in MODULES}
    inside = {path for path in modules if not path.name.startswith("__")}
    missing = {
        path.as_posix()
        for path in inside
        if not (ROOT / "tests" / path.parent / f"test_{path.name}").exists()
    }
    assert missing == set(MIRRORLESS)


LONGEST = 300
"""So many lines of a module can be held in the head."""


def test_long_modules_have_their_reason():
    """Each module over 300 lines stands in the table under "Modules over 300 lines", and no other one does."""
    paths = [*MODULES, *MAPPINGS]
    lengths = {path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines()) for path in paths}
    reasons = dict(markdown.rows(house.PAGE, "Modules over 300 lines"))
    assert all(reasons.values())
    told = {name.strip("`") for name in reasons}
    assert {name for name, length in lengths.items() if length > LONGEST} == told
