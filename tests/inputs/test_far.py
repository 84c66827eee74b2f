"""What is read of an object: noted as it is read, and told by the name of the source where it cannot be."""

import gzip
import hashlib

import pytest
from archives import tarred, zipped

from migrate.errors import Unfit
from migrate.inputs.listing import sources
from migrate.inputs.source import Fingerprint, fingerprint


def whole(one):
    """All that a source holds."""
    with one.open() as stream:
        return b"".join(iter(lambda: stream.read(1 << 18), b""))


@pytest.mark.parametrize("pack", [zipped, tarred], ids=["zip", "tar"])
def test_a_member_is_told_by_its_bytes_as_they_are_read(s3, s3_between, pack):
    """One that was read to its end is not read again, and is the same in another archive; half of it tells nothing."""
    rows = {"a.csv": b"a,b\n1,2\n" * 100_000, "b.csv": b"a,b\n3,4\n"}
    s3.put("in.pack", pack(rows))
    one, two = (found.tallied() for found in sources([f"{s3.url}in.pack"]).sources)
    expected = Fingerprint(800_000, hashlib.blake2b(rows["a.csv"], digest_size=32).hexdigest())
    with one.open() as stream:
        assert stream.read(10) == rows["a.csv"][:10]
    assert one.tally.stream is None
    assert fingerprint(one) == expected
    assert whole(one) == rows["a.csv"]
    asked = len(s3_between.asked)
    assert fingerprint(one) == expected
    assert len(s3_between.asked) == asked
    s3.put("in.pack", pack({"a.csv": rows["a.csv"], "b.csv": b"a,b\n5,6\n"}))
    other = sources([f"{s3.url}in.pack"]).sources
    assert fingerprint(other[0]) == expected
    assert fingerprint(other[1]) != fingerprint(two)


def test_an_object_that_goes_while_it_is_read_is_unfit_by_the_name_of_the_source(s3):
    """Of a file, of a member, and where columns are sought in it."""
    s3.put("a.csv.gz", gzip.compress(b"a,b\n" * 9))
    s3.put("b.zip", zipped({"c.csv": b"a,b\n" * 200_000 + bytes(range(256)) * 4_000}))
    found = {one.name.removeprefix(s3.url): one for one in sources([s3.url]).sources}
    for name, one in found.items():
        key = name.partition("!")[0]
        s3.put(key, b"other")
        one.path._entry = one.path.entry._replace(size=9 << 20)  # noqa: SLF001 - so that no block is there yet
        with pytest.raises(Unfit) as raised:
            whole(one)
        assert (raised.value.name, raised.value.reason) == (one.name, "changed")
        assert "was replaced by another object since it was listed" in raised.value.why
