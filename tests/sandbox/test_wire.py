"""What came over the wire is the text that was meant, however it was packed, or it is refused as capture does."""

import base64
import gzip
from urllib.parse import quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED

from migrate.sandbox.wire import DECODED_LIMIT, Refusal, check_query, text

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40).map('{{"text":"{}"}}'.format)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def read(body, query=None, headers=None):
    """What is read of a body."""
    return text(body, query=query or {}, headers=headers or {})


def based(data):
    """Base64."""
    return base64.b64encode(data)


@COMPARED
@given(TEXTS)
def test_a_text_is_the_same_however_it_is_packed(said):
    """Compressed or not, with a word of it or none; in base64, in a form, in the query."""
    plain = said.encode()
    packed = gzip.compress(plain)
    assert [
        read(plain),
        read(packed),
        read(packed, headers={"Content-Encoding": "gzip"}),
        read(packed, {"compression": "GZIP-js"}),
        read(based(plain)),
        read(based(packed), {"compression": "gzip"}),
        read(b"data=" + quote_plus(said).encode(), headers=FORM),
        read(b"", {"data": said}),
        read(b"something else", {"data": said}),
    ] == [plain] * 9


def test_base64_in_a_form_stays_as_it_is():
    """The real server of 2026 does not unpack it either, and finds no JSON."""
    form = urlencode({"data": based(b"{}").decode()}).encode()
    assert read(form, headers=FORM) == based(b"{}")


@pytest.mark.parametrize("query", [{"_": "abc"}, {"sent_at": "2024-04-03"}, {"_": ""}])
def test_a_time_in_the_query_is_a_number(query):
    """Else the query cannot be read."""
    check_query({"_": "-1712145610000", "sent_at": "1"})
    with pytest.raises(Refusal, match="^Failed to deserialize query string: ") as refused:
        check_query(query)
    assert refused.value.status == 400


def test_more_than_100_mib_is_too_much():
    """Of a body that is not compressed, too."""
    with pytest.raises(Refusal) as refused:
        read(b"!" * (DECODED_LIMIT + 1))
    words = f"Uncompressed payload size limit {DECODED_LIMIT} exceeded: {DECODED_LIMIT + 1}"
    assert (refused.value.status, refused.value.text) == (413, f"maximum event size exceeded: {words}")


@COMPARED
@given(TEXTS, st.data())
def test_a_torn_body_is_no_text(said, data):
    """Compressed text that ends early is refused, wherever; what follows its end is not looked at."""
    packed = gzip.compress(said.encode())
    assert read(packed + b"anything") == said.encode()
    torn = packed[: data.draw(st.integers(3, len(packed) - 1))]
    with pytest.raises(Refusal) as refused:
        read(torn, headers={"Content-Encoding": "gzip"})
    assert (refused.value.status, refused.value.text) == (
        400,
        "failed to decode request: invalid GZIP data",
    )


REFUSED = [
    pytest.param(b"", {}, {}, "request missing data payload", id="nothing"),
    pytest.param(b"data=", {}, FORM, "request missing data payload", id="form of nothing"),
    pytest.param(
        b"{}!", {}, FORM, "failed to decode request: expected form data in POST request payload", id="no form"
    ),
    pytest.param(b"\xff!", {}, {}, "failed to decode request: invalid UTF8 in request payload", id="no text"),
    pytest.param(
        gzip.compress(b"\xff"), {}, {}, "failed to decode request: invalid gzip data", id="no text inside"
    ),
    pytest.param(
        b"{}!", {"compression": "lz64"}, {}, "failed to decode request: invalid LZ64 data", id="lz64"
    ),
    pytest.param(
        b"{}!", {"compression": "gzip"}, {}, "failed to decode request: invalid GZIP data", id="no gzip"
    ),
]


@pytest.mark.parametrize(("body", "query", "headers", "words"), REFUSED)
def test_what_cannot_be_read_is_refused_in_captures_words(body, query, headers, words):
    """With a 400."""
    with pytest.raises(Refusal) as refused:
        read(body, query, headers)
    assert (refused.value.status, refused.value.text) == (400, words)
