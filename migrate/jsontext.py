"""JSON as text: objects from columns, fields from objects, repairs where a server would choke."""

import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple, TypeVar

import msgspec
import polars as pl

from migrate.repairs import repaired

MAX_DEPTH: Final = 100
"""Nesting PostHog's parser is sure to accept (posthog-ingestion.md §8.11); parsers here take far more."""

T = TypeVar("T")
Value = pl.Expr | str | bool

FAILURES: Final = (ValueError, TypeError, AttributeError, KeyError, RecursionError, msgspec.MsgspecError)
"""What reading a text raises that does not hold what it should."""

_NUMBER: Final = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?")
_ESCAPE: Final = re.compile(rb"\\(?:u([dD][89abAB]..)(\\u[dD][c-fC-F]..)?|u([dD][c-fC-F]..)|.)", re.DOTALL)
_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")
Raw = msgspec.Raw
"""A JSON value in its own text."""
NULL: Final = Raw(b"null")
encoded: Final = msgspec.json.Encoder().encode
"""An object's text of its members' texts."""
_decoded_text: Final = msgspec.json.Decoder(str).decode
sound_members: Final = msgspec.json.Decoder(dict[str, Raw]).decode
"""An object's members, each value in its own text; the last of equal keys counts, where the first stands."""
_raw_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_NO_JSON: Final[Mapping[str, pl.Expr]] = {}
_TOKEN: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[{]|[\]}]', re.DOTALL)
_NO_NUMBER: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"|(-?\b(?:NaN|Infinity|nan|inf)\b)', re.DOTALL)


class Member(NamedTuple):
    """A member of an object: null where the value is; `is_json` says that the value is JSON text already.

    A value that is no expression is the same in all rows.
    Without a name the value is text of whole members, as `inside` gives it.
    """

    name: str | None
    value: Value
    is_json: bool = False
    fallback: pl.Expr | None = None
    """JSON text that stands there where the value is null."""


def object_text(
    columns: Mapping[str, pl.Expr] | Sequence[str | pl.Expr], *, json: Mapping[str, pl.Expr] = _NO_JSON
) -> pl.Expr:
    """Return JSON object text with a member for each column; nulls are left out, a row with nothing in it gives null.

    `json` adds members whose values are JSON text already. Floats must be finite, and columns must hold nothing
    that `struct.json_encode` cannot write well: binary, times, decimals.
    """
    texts = [Member(name, text, is_json=True) for name, text in json.items()]
    return embraced(joined([*_members(columns), *texts]))


def members(columns: Mapping[str, pl.Expr] | Sequence[str | pl.Expr]) -> pl.Expr:
    """Return `"key":value,"key":value`, the inside of an object, without nulls; "" where all are null."""
    return joined(_members(columns))


def joined(members: Sequence[Member]) -> pl.Expr:
    """Return the inside of an object with these members in their order, "" where all are null."""
    pieces = [_constant(member) or member for member in members]
    given = [(member.value, member.fallback) for member in members if isinstance(member.value, pl.Expr)]
    values = [value for pair in given for value in pair if isinstance(value, pl.Expr)]
    if not values:
        return pl.lit("".join(map(str, pieces)).removeprefix(","))
    rows = pl.struct(value.alias(f"{place}") for place, value in enumerate(values))
    return rows.map_batches(partial(_joined, pieces=pieces), return_dtype=pl.String, is_elementwise=True)


def embraced(inside: pl.Expr) -> pl.Expr:
    """Return the object with this inside, null where it is empty."""
    return pl.when(inside != "").then(pl.concat_str([pl.lit("{"), inside, pl.lit("}")]))


def _members(columns: Mapping[str, pl.Expr] | Sequence[str | pl.Expr]) -> list[Member]:
    """Return the members that columns make."""
    if isinstance(columns, Mapping):
        return [Member(name, value) for name, value in columns.items()]
    given = [pl.col(column) if isinstance(column, str) else column for column in columns]
    return [Member(column.meta.output_name(), column) for column in given]


def _constant(member: Member) -> str | None:
    """Return `,"key":value` of a member that is the same in all rows; None for any other."""
    return (
        None
        if isinstance(member.value, pl.Expr)
        else _key(member) + json.dumps(member.value, ensure_ascii=False)
    )


def _key(member: Member) -> str:
    """Return what stands before a member's value."""
    return "," if member.name is None else f",{quoted(member.name)}:"


def _joined(values: pl.Series, pieces: Sequence[Member | str]) -> pl.Series:
    """Return the members of each row strung together, and what is the same in all rows between them.

    Every column becomes text in the cheapest way there is for what it holds, and all are strung together at once:
    0.3 µs a row for nine columns of text, where `json_encode` for each of them took 0.8 (measured).
    """
    texts: list[pl.Series] = []
    strung: list[pl.Expr] = []
    literal = ""
    columns = iter(values.struct.unnest())
    for piece in pieces:
        if isinstance(piece, str):
            literal += piece
            continue
        column = next(columns)
        other = None if piece.fallback is None else next(columns)
        if column.null_count() == column.len():
            if other is None:
                continue
            column, piece, other = other, piece._replace(is_json=True), None  # noqa: PLW2901 - it is all there is
        quote = '"' if not piece.is_json and _is_plain(column) else ""
        texts.append(column if quote or piece.is_json else _encoded(column))
        head, text = _key(piece) + quote, pl.col(column.name)
        if column.null_count():
            whole = pl.concat_str(pl.lit(head), text, pl.lit(quote))
            if other is not None:
                texts.append(other)
                whole = pl.coalesce(whole, pl.concat_str(pl.lit(_key(piece)), pl.col(other.name)))
            strung += [pl.lit(literal), whole]
            literal = ""
        else:
            strung += [pl.lit(literal + head), text]
            literal = quote
    if not texts:
        inside = literal.removeprefix(",")
        return pl.repeat(inside, values.len(), dtype=pl.String, eager=True).alias(values.name)
    whole = pl.concat_str(*strung, pl.lit(literal), ignore_nulls=True).str.strip_prefix(",")
    return pl.DataFrame(texts).select_seq(whole).to_series().alias(values.name)


def _is_plain(column: pl.Series) -> bool:
    """Return whether these are texts that stand in JSON as they are."""
    return column.dtype == pl.String and b"\\" not in msgspec.json.encode(column.str.join().item())


def _encoded(column: pl.Series) -> pl.Series:
    """Return values as JSON text, null as null."""
    if column.dtype.is_integer() or column.dtype == pl.Boolean:
        return column.cast(pl.String)
    encoded = pl.struct(pl.col(column.name).alias("")).struct.json_encode()
    value = encoded.str.strip_prefix('{"":').str.strip_suffix("}")
    whole = pl.when(pl.col(column.name).is_not_null()).then(value)
    return column.to_frame().select_seq(whole.alias(column.name)).to_series()


def strings(texts: pl.Series) -> pl.Series:
    """Return texts as JSON strings, null as null."""
    return _encoded(texts)


def quoted(text: str) -> str:
    """Return a string as JSON spells it plainly."""
    return json.dumps(text, ensure_ascii=False)


def inside(objects: pl.Expr) -> pl.Expr:
    """Return the members of JSON object texts, null where an object has none."""
    bare = objects.str.strip_chars().str.strip_prefix("{").str.strip_suffix("}").str.strip_chars()
    return pl.when(bare != "").then(bare)


def fields(texts: pl.Series, names: Sequence[str]) -> pl.Series:
    """Return a struct of these keys of JSON objects, as text; null where a key or the object is missing.

    Strings come unescaped, all else in its own text. What comes of a row depends on that row alone.
    """
    found = [_object(text) for text in texts.to_list()]
    columns = [cells([bag.get(name) for bag in found]).alias(name) for name in names]
    return pl.DataFrame(columns).to_struct(texts.name)


def _object(text: str | None) -> dict[str, Raw]:
    """Return an object's members; none where it is no object."""
    try:
        return raw_object(text or "{}")
    except msgspec.DecodeError:
        return {}


def cells(values: Sequence[Raw | None]) -> pl.Series:
    """Return values as cells: text unescaped, null and nothing as null, all else as JSON text."""
    return unquoted(values)[0]


def unquoted(values: Sequence[Raw | None]) -> tuple[pl.Series, bool]:
    """Return values as `cells` does, and whether none of them was text."""
    found = texts([None if value is None else bytes(value) for value in values])
    if found.null_count() == found.len() or found.str.starts_with("{").all():
        return found, True
    text = pl.col("text")
    quoted = text.str.starts_with('"')
    bare = pl.when(quoted).then(text.str.strip_prefix('"').str.strip_suffix('"')).otherwise(text)
    is_text, escaped, cell = found.to_frame("text").select_seq(
        quoted.alias("quoted"),
        (quoted & text.str.contains("\\", literal=True)).alias("escaped"),
        pl.when(text != "null").then(bare).alias("cell"),
    )
    where = escaped.arg_true()
    if where.len():
        cell = cell.scatter(where, pl.Series(map(_decoded_text, found.gather(where)), dtype=pl.String))
    return cell, not is_text.any()


def texts(values: Sequence[bytes | None]) -> pl.Series:
    """Return texts as a column."""
    return pl.Series(values, dtype=pl.Binary).cast(pl.String)


def raw_object(text: str) -> dict[str, msgspec.Raw]:
    """Return a JSON object's members, each value as its own text; raises `msgspec.DecodeError` where it is none."""
    return decoded(_raw_object, text)


def decoded(decoder: msgspec.json.Decoder[T], text: str) -> T:
    """Return what the decoder reads in a JSON text, lone surrogates and the like repaired where it must be."""
    try:
        return decoder.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return decoder.decode(repaired(text, Counter()))


def canonical(text: str) -> str:
    """Return a JSON text in the one form that all spellings of the same value have.

    Keys in order at every depth, no spaces, null members left out, numbers by their exact decimal value as digits and
    exponent (`1`, `1.0` and `1e0` are `1e0`), a text never equal to a number. What is no JSON is a text of its own.
    """
    try:
        return msgspec.json.encode(_canonical.decode(_without_halves(text)), order="sorted").decode()
    except (ValueError, RecursionError):
        return msgspec.json.encode(text.encode("utf-8", "replace").decode()).decode()


def scrubbed(text: bytes) -> tuple[bytes, int]:
    """Return the text with each escaped half of a surrogate pair replaced by U+FFFD, and how many there were."""
    if b"\\u" not in text or not _SURROGATE.search(text):
        return text, 0
    lone = 0

    def repair(match: re.Match[bytes]) -> bytes:
        nonlocal lone
        high, paired, low = match.groups()
        if (high and not paired) or low:
            lone += 1
            return b"\\ufffd"
        return match[0]

    return _ESCAPE.sub(repair, text), lone


def _without_halves(text: str) -> str:
    """Return the text with U+FFFD for each half of a surrogate pair."""
    return scrubbed(text.encode("utf-8", "replace"))[0].decode()


def canonical_number(digits: str) -> str:
    """Return a number as `canonical` does; what is written for no number is null."""
    found = _NUMBER.fullmatch(digits)
    if found is None:
        return "null"
    sign, whole, fraction, exponent = found.groups(default="")
    bare = (whole + fraction).lstrip("0")
    kept = bare.rstrip("0")
    place = int(exponent or 0) - len(fraction) + len(bare) - len(kept)
    return f"{sign}{kept}e{place}" if kept else "0e0"


def _exact(digits: str) -> msgspec.Raw | None:
    number = canonical_number(digits)
    return None if number == "null" else msgspec.Raw(number.encode())


_canonical: Final = json.JSONDecoder(
    strict=False,
    parse_float=_exact,
    parse_int=_exact,
    parse_constant=lambda _name: None,
    object_hook=lambda bag: {key: value for key, value in bag.items() if value is not None},
)


def without_nulls(text: str) -> str | None:
    """Return a JSON object's text without members that are null; null where nothing is left."""
    bag = {key: raw for key, raw in _raw_object.decode(text).items() if raw != NULL}
    return msgspec.json.encode(bag).decode() if bag else None


class BadJSON(ValueError):  # noqa: N818 - it is caught a few lines away
    """This text is no object that can be passed on; the message is the reason of the reject."""


def careful_members(text: bytes, counts: Counter[str]) -> dict[str, Raw]:
    """Return an object's members; what costs a value and not the object is repaired and counted.

    Half of a surrogate pair becomes U+FFFD (`lone_surrogate`), a NaN or an infinity, as Python and Java write them,
    null (`non_finite_number`). Raises `BadJSON`.
    """
    try:
        return sound_members(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        if too_deep(text):
            raise BadJSON("nested_too_deep") from None
    mended, lone = scrubbed(text)
    mended, odd = _finite(mended)
    twice = 0
    try:
        found = sound_members(mended)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        once = unescaped(text)
        if once is None:
            raise BadJSON("malformed_json") from error
        found, twice = sound_members(once), 1
    counts.update(+Counter({"lone_surrogate": lone, "non_finite_number": odd, "escaped_twice": twice}))
    return found


def unescaped(text: bytes) -> bytes | None:
    """Return a record that was escaped twice as it was before, None where that makes no object of it.

    So Postgres' COPY writes JSON, and what is made with it (Heap's one-time export): each backslash is two, so that a
    quote in a text seems to end it.
    """
    if b'\\\\"' not in text:
        return None
    once = text.replace(b"\\\\", b"\\")
    try:
        return once if sound_members(once) else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def fault(text: bytes) -> str | None:
    """Return where a text is no JSON object, and what is wrong there; None of one that is too long to look again.

    `character 17: expecting ',' delimiter, found 'x'`, counted from 1; of several lines, with the line among them.
    """
    if len(text) > _LOOKED_AT_AGAIN:
        return None
    shown = text.decode("utf-8", "replace")
    try:
        value = _strict.decode(shown)
    except json.JSONDecodeError as error:
        line = f"line {error.lineno}, " if "\n" in shown else ""
        what = error.msg[0].lower() + error.msg[1:].removesuffix(" at").removesuffix(" starting")
        found = repr(shown[error.pos]) if error.pos < len(shown) else "the end"
        return f"{line}character {error.colno}: {what}, found {found}"
    except RecursionError:
        return None
    return None if isinstance(value, dict) else f"{_KINDS[type(value)]} and no object"


def _finite(text: bytes) -> tuple[bytes, int]:
    """Return the text with null for what is written for numbers that are none, and how many there were."""
    odd = 0

    def repair(match: re.Match[bytes]) -> bytes:
        nonlocal odd
        if match[1] is None:
            return match[0]
        odd += 1
        return b"null"

    return _NO_NUMBER.sub(repair, text), odd


def too_deep(text: bytes) -> bool:
    """Return whether objects and lists stand in one another more than `MAX_DEPTH` deep."""
    if text.count(b"{") + text.count(b"[") <= MAX_DEPTH:
        return False
    depth = 0
    for token in _TOKEN.finditer(text):
        if token[0] in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif token[0] in b"]}":
            depth -= 1
    return False


def value_of(text: str) -> Any:  # noqa: ANN401 - any JSON value
    """Return a JSON value as Python has it; numbers that Python cannot hold are their own text.

    Raises `ValueError` where it is none.
    """
    return _decoder.decode(text)


def text_of(value: object) -> str:
    """Return a value as JSON; cut emoji stay escaped, as UTF-8 has no place for them."""
    text = _encoder.encode(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"))
    return text


def _double(text: str) -> float | str:
    """Return the number, its text where it is too large for a double."""
    value = float(text)
    return value if math.isfinite(value) else text


def _whole(text: str) -> int | str:
    """Return the number, its text where Python takes no more digits."""
    try:
        return int(text)
    except ValueError:
        return text


# Made once: `json.loads` and `json.dumps` make new ones for every call with arguments.
_decoder = json.JSONDecoder(
    strict=False, parse_float=_double, parse_int=_whole, parse_constant=lambda _name: None
)
_strict = json.JSONDecoder(parse_float=_double, parse_int=_whole)
_LOOKED_AT_AGAIN: Final = 8 << 20
_KINDS: Final = {
    list: "a list",
    str: "a text",
    int: "a number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
}
_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
