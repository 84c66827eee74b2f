"""A platform is a file of `mappings/`: found by its name, with the tables its spec describes."""

from pathlib import Path

import pytest
from markdown import ROOT
from samples import PLATFORMS, spec

import mappings
from migrate import platforms
from migrate.errors import UsageError

SPEC = 'event = {constant = "A"}\ndistinct_id = "who"\ntimestamp = "at"\n'


@pytest.fixture
def written(tmp_path):
    """A spec."""
    path = tmp_path / "spec.toml"
    path.write_text(SPEC)
    return path


def said(call, *given):
    """What is said against it."""
    with pytest.raises(UsageError) as refused:
        call(*given)
    return str(refused.value)


def test_there_are_the_platforms_there_are_files_of(tmp_path, monkeypatch):
    """A file that is put there is one more; what begins with `_` is none."""
    files = [path.stem for path in (ROOT / "mappings").glob("*.py")]
    assert platforms.names() == sorted(name for name in files if not name.startswith("_")) == PLATFORMS
    for name in ("zebra.py", "_shared.py"):
        (tmp_path / name).write_text("")
    monkeypatch.setattr(mappings, "__path__", [*mappings.__path__, str(tmp_path)])
    assert platforms.names() == [*PLATFORMS, "zebra"]


@pytest.mark.parametrize("name", PLATFORMS)
def test_each_has_its_tables(name):
    """Of a mapping as it is, or of what its spec describes."""
    assert platforms.platform(name, spec(name)).tables


def test_an_unknown_one_is_refused_with_those_there_are():
    """Also one that is shared by several."""
    for name in ("nothing", "_calls", "table.py", ""):
        assert said(platforms.mapping, name) == (
            f"PLATFORM: no such platform, found '{name}'; choose one of {', '.join(PLATFORMS)}, or give the path of a "
            "mapping of your own (docs/mappings.md)"
        )


def test_a_spec_is_given_where_one_is_needed(tmp_path, written):
    """And nowhere else; one that cannot be read is refused with its place."""
    assert said(platforms.platform, "posthog", written) == (
        f"--spec: posthog needs no spec, found {written}; leave it out"
    )
    assert said(platforms.platform, "table") == (
        "--spec: table needs a TOML file that describes the columns; see docs/spec.md"
    )
    gone = tmp_path / "gone.toml"
    assert said(platforms.platform, "table", gone) == (
        f"--spec: {gone} cannot be read, found 'No such file or directory'; give a TOML file"
    )
    for text in (b"event = \n", b'event = "\xff"\n'):
        written.write_bytes(text)
        assert said(platforms.platform, "table", written).startswith(f"{written}: not TOML, found '")


SAME = [
    pytest.param(SPEC, True, id="as it is"),
    pytest.param("# a comment\n\n" + SPEC.replace(" = ", "="), True, id="another layout"),
    pytest.param("".join(reversed(SPEC.splitlines(keepends=True))), True, id="another order"),
    pytest.param('[event]\nconstant = "A"\n', False, id="less"),
    pytest.param(SPEC.replace("who", "whom"), False, id="another name"),
    pytest.param(SPEC + "since = 2024-04-03\n", False, id="more, a date"),
]


@pytest.mark.parametrize(("text", "is_same"), SAME)
def test_a_spec_is_known_by_what_it_says(tmp_path: Path, written, text, is_same):
    """However it is laid out; so a comment can be added to the spec of a plan that goes on."""
    other = tmp_path / "other.toml"
    other.write_text(text)
    assert (platforms.digest(written) == platforms.digest(other)) is is_same
