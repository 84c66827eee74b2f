"""What is said for a platform: a name, or the path of a file that gives it one."""

import os

import pytest

from migrate.errors import UsageError
from migrate.naming import is_path, is_same, named


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("Amplitude", "amplitude"),
        (" ga4 ", "ga4"),
        ("acme.py", "acme"),
        ("./acme.py", "acme"),
        ("../own files/Acme Shop-2.PY", "acme_shop_2"),
        ("/x/_acme.py", "acme"),
        ("Café.py", "cafe"),
        ("own/acme", "acme"),
    ],
)
def test_a_file_gives_its_platform_a_name(said, name):
    """That a folder, a column and a command can have: small letters and digits."""
    assert named(said) == name
    assert is_path(said) == (said.strip().lower() not in {"amplitude", "ga4"})


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ("./日本.py", "has no letter or digit of ASCII"),
        ("_.py", "has no letter or digit of ASCII"),
        (f"{'a' * 101}.py", "has more than 100 characters"),
    ],
)
def test_a_file_that_gives_no_name_is_refused(said, what):
    """With what to do."""
    with pytest.raises(UsageError) as refused:
        named(said)
    assert str(refused.value) == (
        f"PLATFORM: the platform is called as its file, whose name {what}, found '{said}'; rename the file, as acme.py"
    )


def test_the_same_platform_may_be_said_in_more_ways_than_one(tmp_path, monkeypatch):
    """A name in any case, a path by what it leads to; a name is no path."""
    monkeypatch.chdir(tmp_path)
    assert is_same("GA4", "ga4 ")
    assert is_same("./acme.py", f"{os.path.realpath(tmp_path)}/x/../acme.py")
    assert not is_same("./acme.py", "x/acme.py")
    assert not is_same("./acme.py", "acme")
