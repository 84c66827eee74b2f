"""Each kind of storage is opened as its own tools open it, and an object is the same however it is asked for."""

import base64
import json
from urllib.parse import parse_qs, urlsplit

import pytest
from between import server

from migrate.errors import Stopped, UsageError
from migrate.stores.buckets import bucket_of, opened
from migrate.stores.objects import Object, below
from migrate.stores.troubles import Trouble
from migrate.stores.urls import entrusted, parsed

BLOB = """<Blob><Name>{name}</Name><Properties><Content-Length>{size}</Content-Length><Etag>0x8D{size}</Etag>
<Last-Modified>Wed, 03 Apr 2024 12:00:00 GMT</Last-Modified>
<Content-Type>text/plain</Content-Type></Properties></Blob>"""
LISTED = """<?xml version="1.0" encoding="utf-8"?><EnumerationResults><Blobs>{blobs}</Blobs><NextMarker/>
</EnumerationResults>"""


def ranged(handler, data, headers):
    """An answer with the bytes that are asked for."""
    asked = handler.headers.get("Range")
    if asked is None:
        return 200, headers, data
    start, _, end = asked.removeprefix("bytes=").partition("-")
    part = data[int(start) : int(end) + 1]
    return 206, {**headers, "Content-Range": f"bytes {start}-{int(start) + len(part) - 1}/{len(data)}"}, part


def read(one):
    """All bytes of an object."""
    with one.open("rb") as file:
        return file.read()


def test_google_cloud_storage(s3, monkeypatch, tmp_path):
    """Its listing, entries and ranges; the server is S3's, whose XML it speaks."""
    account = {
        "type": "service_account",
        "gcs_base_url": s3.address,
        "disable_oauth": True,
        "client_email": "",
        "private_key": "",
    }
    path = tmp_path / "account.json"
    monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT", str(path))
    path.write_text(json.dumps(account))
    with pytest.raises(
        UsageError, match="gs://none: what the environment says of it cannot be used; see to its"
    ):
        bucket_of(parsed("gs://none"))
    path.write_text(json.dumps(account | {"private_key_id": ""}))
    monkeypatch.setenv("GOOGLE_ALLOW_HTTP", "true")
    s3.client.put_object(Bucket=s3.bucket, Key="in/a b.txt", Body=b"abc", ACL="public-read")
    url = f"gs://{s3.bucket}/in/"
    (found,) = below(parsed(url))
    assert found.url == f"{url}a b.txt"
    assert found.entry == Object(found.url).entry
    assert read(found) == b"abc"
    for key in ("in/x//c", "in/y/d"):
        s3.client.put_object(Bucket=s3.bucket, Key=key, Body=b"abc", ACL="public-read")
    why = "a control character in it cannot be held here, found '{}'; rename that object, or name a folder in which"
    for given, key in (("", "in/x//c"), ("x//", "in/x/"), ("x/", "in/x//c")):
        with pytest.raises(Trouble, match=why.format(key)):
            list(below(parsed(f"{url}{given}")))
    with pytest.raises(Trouble, match=why.format("in/x//c")):
        Object(f"{url}x//c").entry  # noqa: B018 - it is looked up
    assert [one.name for one in below(parsed(f"{url}y/"))] == ["d"]


def test_azure(monkeypatch):
    """An e_tag that is listed without quotes and answered with them is one; a precondition has them."""
    data, asked = {"in/a b.txt": b"abc", "in/b": b"defg"}, []

    def answer(handler):
        parts = urlsplit(handler.path)
        if "comp" in parse_qs(parts.query):
            blobs = "".join(BLOB.format(name=name, size=len(body)) for name, body in data.items())
            return 200, {"Content-Type": "application/xml"}, LISTED.format(blobs=blobs).encode()
        asked.append(handler.headers.get("If-Match"))
        body = data[parts.path.removeprefix("/box/").replace("%20", " ")]
        modified = {"Last-Modified": "Wed, 03 Apr 2024 12:00:00 GMT"}
        return ranged(handler, body, modified | {"ETag": f'"0x8D{len(body)}"'})

    with server(answer) as address:
        monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
        monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", address)
        monkeypatch.setenv("AZURE_SKIP_SIGNATURE", "true")
        found = list(below(parsed("az://box/in")))
        assert [one.url for one in found] == ["az://box/in/a b.txt", "az://box/in/b"]
        assert [read(one) for one in found] == [b"abc", b"defg"]
        assert Object(found[0].url).entry == found[0].entry
        assert asked == ['"0x8D3"', '"0x8D4"', None]
        opened.cache_clear()


@pytest.mark.parametrize("tag", ['"v1"', 'W/"v1"', None])
def test_a_file_on_a_web_server(tag):
    """With its query, and the name and password of its address; whatever kind of e_tag it has."""
    asked = []

    def answer(handler):
        asked.append((handler.path, handler.headers.get("Authorization"), handler.headers.get("If-Match")))
        return ranged(handler, b"abc" * 100, {} if tag is None else {"ETag": tag})

    with server(answer) as address:
        host = address.removeprefix("http://")
        name = entrusted(f"http://me:pass%20word@{host}/a%20b/c%2Fd.gz?sig=a%2Fb")
        assert name == f"http://{host}/a%20b/c%2Fd.gz"
        assert read(Object(name)) == b"abc" * 100
        login = "Basic " + base64.b64encode(b"me:pass word").decode()
        path = "/a%20b/c%2Fd.gz?sig=a%2Fb"
        assert asked == [(path, login, None), (path, login, tag if tag == '"v1"' else None)]


def test_nothing_is_asked_without_encryption(s3, monkeypatch):
    """But of this machine."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://minio.example:9000")
    with pytest.raises(UsageError) as raised:
        bucket_of(parsed(s3.url))
    assert str(raised.value) == (
        f"{s3.url.rstrip('/')}: its endpoint would be asked without encryption; name it with https://, or set "
        "AWS_ALLOW_HTTP=true"
    )


def test_nothing_that_answers_is_said():
    """Before anything is asked of it."""
    with pytest.raises(Stopped) as raised:
        bucket_of(parsed("http://localhost:9/x"))
    assert str(raised.value) == (
        "http://localhost:9/x: nothing answers at its endpoint http://localhost:9 (Connection refused); check the "
        "address, or run the same command again later"
    )
