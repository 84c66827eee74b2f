import pytest
from between import BUSY

from migrate.stores.buckets import bucket_of
from migrate.stores.troubles import Trouble
from migrate.stores.urls import parsed
from migrate.stores.writing import put, remove


def test_an_object_is_there_whole_or_not_at_all(s3):
    """One of no chunk, of one, and of several parts; a source that fails leaves what was there before."""
    large = [bytes([number]) * (5 << 20) for number in range(4)]
    for key, chunks in {"none": [], "one": [b"abc", b"", b"def"], "a b/ü!%20.gz": large}.items():
        put(parsed(s3.url + key), chunks)
        assert s3.get(key) == b"".join(chunks)
    assert s3.tag("one") == '"e80b5017098950fc58aad83c8c14978e"'

    def failing():
        yield from large
        raise ValueError("the export ended early")

    for key in ("one", "never"):
        with pytest.raises(ValueError, match="the export ended early"):
            put(parsed(s3.url + key), failing())
    assert s3.get("one") == b"abcdef"
    assert "Uploads" not in s3.client.list_multipart_uploads(Bucket=s3.bucket)
    assert s3.keys() == ["a b/ü!%20.gz", "none", "one"]
    assert [key for key, _ in bucket_of(parsed(s3.url)).entries("")] == ["a b/ü!%20.gz", "none", "one"]


def test_a_busy_storage_is_written_to_again_and_what_goes_is_gone(s3, s3_between):
    """What is small is written again; one that is not there is no matter."""
    s3_between.answers = [BUSY] * 3
    for key in ("a/1", "a/2", "b"):
        put(parsed(s3.url + key), [key.encode()])
    s3_between.answers = [BUSY]
    remove(parsed(f"{s3.url}a/"), ["1", "2", "never"])
    assert s3.keys() == ["b"]


@pytest.mark.usefixtures("s3")
def test_a_bucket_that_is_none_is_said():
    """Nothing is made of it."""
    with pytest.raises(Trouble, match="there is no such bucket; check its name, and the endpoint"):
        put(parsed("s3://no-such-bucket/one"), [b"abc"])
