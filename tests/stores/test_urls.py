import pytest

from migrate.errors import UsageError
from migrate.stores.urls import entrusted, forget, is_url, named, parsed, whole

SIGNED = "https://me:secret@example.org:8443/a%20b/f%2Fx.gz?X-Amz-Signature=0f0f&x=1#top"


def test_what_an_address_names():
    """A key is taken as it is written; a path with a colon is a path."""
    assert parsed("s3://b/a//b c%20!?.gz") == ("s3", "b", "a//b c%20!?.gz")
    assert str(parsed("S3://b/a/")) == "s3://b/a/"
    assert parsed("gs://b").key == ""
    assert [is_url(one) for one in ("s3://b", "./s3:/b", "c:/x", "a b://c")] == [True, False, False, False]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            "ftp://h/x?sig=secret",
            (
                "input ftp://h/x: no storage that is known, found 'ftp://'; name s3://, gs://, az:// or https://, or "
                "download the files and name their folder"
            ),
        ),
        ("s3:///key", "input s3:///key: no bucket is named; write it as s3://bucket/key"),
        (
            "http://example.org/x?sig=secret",
            "input http://example.org/x: it would be read without encryption; name it with https://",
        ),
    ],
)
def test_addresses_that_are_not_read(given, message):
    """Each is said in a sentence, without what is secret."""
    with pytest.raises(UsageError) as raised:
        parsed(given)
    assert str(raised.value) == message
    assert parsed("http://localhost:90/x").is_web
    assert parsed("http://[::1]:90/x").is_web

    for host in ("[::1", "h:99999", "h:x"):
        with pytest.raises(UsageError, match="is no server; write it as"):
            parsed(f"https://{host}/x")


TORN = {
    "https://user:PA/SS@h:80/x?sig=1": "https://h:80/x",
    "https://user:PA/S@S/@h/x": "https://h/x",
}


def test_a_secret_in_an_address_stays_in_the_process():
    """A web address goes by its path alone; two that would have one name are refused, and so is a bucket's secret."""
    assert entrusted("exports/a?b") == "exports/a?b"
    assert entrusted("s3://b/a?.gz") == "s3://b/a?.gz"
    name = entrusted(SIGNED)
    assert name == "https://example.org:8443/a%20b/f%2Fx.gz" == named(SIGNED)
    assert whole(parsed(name)) == (
        "https://example.org:8443/a%20b/f%2Fx.gz?X-Amz-Signature=0f0f&x=1",
        "me:secret",
    )
    assert entrusted(SIGNED) == name
    with pytest.raises(UsageError) as raised:
        entrusted("https://example.org:8443/a%20b/f%2Fx.gz?export=2")
    assert "named twice, with two queries" in str(raised.value)
    forget()
    assert entrusted("https://example.org:8443/a%20b/f%2Fx.gz?export=2") == name
    for given in ("az://box/a?sv=1&sig=secret", "s3://key:secret@b/a"):
        with pytest.raises(UsageError, match="an address of a storage with a secret in it") as raised:
            entrusted(given)
        assert "secret@" not in str(raised.value)
        assert "sig=" not in str(raised.value)
    for given, name in TORN.items():
        assert named(given) == name
        with pytest.raises(UsageError, match="in its name or password; write it there as %2F"):
            entrusted(given)
    for given in ("https://h:80/@x/a:b@c", "https://[::1]:80/a@b", "https://h/a:b@c"):
        assert entrusted(given) == given
