"""A file and an object stand in each other's place: by their names, stamps, sizes and troubles."""

from pathlib import Path

import pytest

from migrate.inputs.names import source_name
from migrate.inputs.stored import (
    identity_of,
    is_there,
    located,
    size_of,
    stamp_of,
    stored,
    stored_of,
    unfit,
    warmed,
)
from migrate.stores.objects import Object
from migrate.stores.troubles import Trouble


def test_a_name_leads_to_what_it_is_the_name_of(tmp_path):
    """Whatever letters are in it, and of a member to its archive."""
    for path in ("s3://b/a!b\\\n c%20.zip", f"{tmp_path}/a!b\\\n.zip"):
        assert stored_of(source_name(path)) == stored(path)
        assert stored_of(source_name(path, "member!1")) == stored(path)
        assert stored(path).as_posix() == path
    assert isinstance(stored("s3://b/a"), Object)
    assert isinstance(stored("./s3:/b/a"), Path)
    assert located("/in", "a") == "/in/a"
    assert located("/in", "s3://b/a") == "s3://b/a"


def test_what_is_told_of_a_file_is_told_of_an_object(s3, tmp_path):
    """Whether it is there, how large it is, when it is another."""
    (tmp_path / "a").write_bytes(b"abc")
    s3.put("a", b"abc")
    for one, other in ((tmp_path / "a", tmp_path), (stored(f"{s3.url}a"), stored(f"{s3.url}b"))):
        assert (is_there(one), size_of(one), is_there(other)) == (True, 3, False)
        assert identity_of(one) == identity_of(stored(one.as_posix())) != identity_of(other)
    before = [stamp_of(stored(one)) for one in (f"{tmp_path}/a", f"{s3.url}a")]
    (tmp_path / "a").write_bytes(b"abcd")
    s3.put("a", b"abd")
    after = [stamp_of(stored(one)) for one in (f"{tmp_path}/a", f"{s3.url}a")]
    assert all(one != two for one, two in zip(before, after, strict=True))
    missing = unfit("/b", FileNotFoundError(2, "No such file"))
    assert (missing.reason, missing.why) == (
        "vanished",
        "cannot be read any more (No such file); put the file back or plan again",
    )
    with pytest.raises(Trouble) as raised:
        size_of(stored(f"{s3.url}b"))
    gone = unfit(f"{s3.url}b", raised.value)
    assert (gone.name, gone.reason, gone.why) == (
        f"{s3.url}b",
        "vanished",
        "is not there; check the address",
    )


def test_objects_are_warmed_in_order_some_way_ahead(s3, s3_between, tmp_path):
    """None is left out; what is warm is not asked for again."""
    for number in range(40):
        s3.put(f"{number:02}", b"%d" % number)
    mixed = [tmp_path / "a", *(stored(f"{s3.url}{number:02}") for number in range(40)), tmp_path / "b"]
    found = []
    for one in warmed(mixed, lambda one: one):
        found.append(one)
        if isinstance(one, Object):
            with one.open() as file:
                assert file.read() == b"%d" % int(one.name)
    assert found == mixed
    assert len(s3_between.gets()) == 40
