"""JSON is read to its first fault, which is told in serde's words, at its line and column."""

import json
import math
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from jsonvalues import COMPARED, VALUES

from migrate.sandbox.syntax import MAX_DEPTH, Broken, needs_scan, scan


def fault(body):
    """What is said of a body; nothing where it is JSON."""
    try:
        scan(body)
    except Broken as broken:
        return str(broken)
    return None


@COMPARED
@given(VALUES, st.booleans(), st.sampled_from([None, 1, "\t"]))
def test_what_is_json_has_no_fault(value, ascii_only, indent):
    """However it is laid out."""
    assert fault(json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()) is None


@COMPARED
@given(VALUES, st.data())
def test_a_body_that_is_cut_off_is_told_to_end_early(value, data):
    """Wherever it is cut within: at its last byte, and what was open."""
    body = json.dumps({"a": value}, ensure_ascii=False).encode()
    cut = body[: data.draw(st.integers(1, len(body) - 1))]
    found = re.fullmatch(
        r"EOF while parsing (a value|a string|a list|an object) at line 1 column (\d+)", fault(cut)
    )
    assert int(found[2]) == len(cut)


@COMPARED
@given(st.integers(0, 4), st.integers(0, 9))
def test_the_place_of_a_fault_is_its_line_and_column(lines, blanks):
    """Both are counted from one."""
    body = b"[\n" + b"\n" * lines + b" " * blanks + b"?]"
    assert fault(body) == f"expected value at line {lines + 2} column {blanks + 1}"


FAULTS = [
    (b"", "EOF while parsing a value at line 1 column 0"),
    (b"[1,]", "trailing comma at line 1 column 4"),
    (b"[1 2]", "expected `,` or `]` at line 1 column 4"),
    (b'{"a":1 "b":2}', "expected `,` or `}` at line 1 column 8"),
    (b'{"a" 1}', "expected `:` at line 1 column 6"),
    (b"{a:1}", "key must be a string at line 1 column 2"),
    (b"nul!", "expected ident at line 1 column 4"),
    (b"01", "invalid number at line 1 column 2"),
    (b'"\\x"', "invalid escape at line 1 column 3"),
    (b'"\x01"', "control character (\\u0000-\\u001F) found while parsing a string at line 1 column 2"),
    (b'"\\udc00"', "lone leading surrogate in hex escape at line 1 column 7"),
    (b"1 1", "trailing characters at line 1 column 3"),
    (b"1e999", "number out of range at line 1 column 5"),
]


@pytest.mark.parametrize(("body", "words"), FAULTS, ids=lambda one: ascii(one)[:20])
def test_the_first_fault_is_told_in_serdes_words(body, words):
    """One of each kind."""
    assert fault(body) == words


@pytest.mark.parametrize("pair", ["[]", '{"a":}'])
def test_nesting_has_its_limit(pair):
    """Of lists as of objects; what is beside them does not count."""
    head, tail = pair[:-1].encode(), pair[-1:].encode()
    assert fault(b"[" + b"[],{}," * 200 + b"0]") is None
    assert fault(head * (MAX_DEPTH - 1) + b"[1]" + tail * (MAX_DEPTH - 1)) is None
    deep = head * MAX_DEPTH + b"[1]" + tail * MAX_DEPTH
    assert fault(deep) == f"recursion limit exceeded at line 1 column {len(head) * MAX_DEPTH + 1}"


@COMPARED
@given(
    st.sampled_from(["", "-"]),
    st.integers(1, 400).map("123456789".__mul__).map(lambda digits: digits[: len(digits) // 9]),
    st.just("") | st.from_regex(r"\.[0-9]{1,5}", fullmatch=True),
    st.just("") | st.from_regex(r"[eE]\+?0*[0-9]{2,4}", fullmatch=True),
    st.sampled_from(["[{}]", '{{"a":{}}}', '{{"a": {}, "b":1}}', '{{"a":1,\n{}}}']),
)
def test_a_number_that_overflows_is_looked_for(sign, digits, fraction, exponent, around):
    """Nothing that is beyond a double is passed over, whatever stands around it."""
    number = f"{sign}{digits}{fraction}{exponent}"
    assume(math.isinf(float(number)))
    assert needs_scan(around.format(number).encode())
