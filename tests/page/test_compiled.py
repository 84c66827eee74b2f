"""Templates are compiled once; what is harmed, or of other words, is compiled anew."""

import pytest
from jinja2 import DictLoader, Environment

from migrate.page.compiled import Compiled


@pytest.fixture(autouse=True)
def _python_may_write(monkeypatch):
    """Whatever this machine has `PYTHONDONTWRITEBYTECODE` say."""
    monkeypatch.setattr("sys.dont_write_bytecode", False)


def rendered(folder, words, made_by=b"", **options):
    """What a template says, rendered by somebody who has not compiled it."""
    cache = Compiled(folder, made_by)
    environment = Environment(loader=DictLoader({"a.html": words}), bytecode_cache=cache, **options)  # noqa: S701
    return environment.get_template("a.html").render(x=1)


def test_a_template_is_read_as_it_was_compiled(tmp_path):
    """One file; of other words another one takes its place."""
    assert rendered(tmp_path, "one {{ x }}") == "one 1"
    (path,) = tmp_path.iterdir()
    before = path.read_bytes()
    path.write_bytes(before.replace(b"one ", b"two "))  # who reads it sees this
    assert rendered(tmp_path, "one {{ x }}") == "two 1"
    assert rendered(tmp_path, "three {{ x }}") == "three 1"
    assert [*tmp_path.iterdir()] == [path]


def test_one_that_another_version_has_compiled_is_compiled_anew(tmp_path):
    """An upgrade leaves the folder as it is, and what a template is compiled to depends on how it is set up."""
    assert rendered(tmp_path, "{{ x }}") == "1"
    assert rendered(tmp_path, "{{ x }}", b"new", finalize=lambda value: -value) == "-1"


@pytest.mark.parametrize("harm", [b"", b"j2", b"j2" * 99])
def test_what_is_harmed_is_compiled_anew(tmp_path, harm):
    """Whatever stands there."""
    assert rendered(tmp_path, "{{ x }}") == "1"
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:20] + harm)
    assert rendered(tmp_path, "{{ x }}") == "1"


def test_where_nothing_may_be_written_nothing_is(tmp_path, monkeypatch):
    """A folder that is not there, or a Python that writes no modules."""
    assert rendered(tmp_path / "none", "{{ x }}") == "1"
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    assert rendered(tmp_path, "{{ x }}") == "1"
    assert [*tmp_path.iterdir()] == []
