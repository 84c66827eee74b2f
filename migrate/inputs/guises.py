"""What a file's first bytes look like, in words; and files that are not what their names say: pages of errors, rests.

Told only of a file that nothing could be read of as rows: what can be read is read, whatever it is called.
"""

import re
from typing import Final

from migrate.inputs.layers import MAGIC_BYTES, compression
from migrate.inputs.source import Source
from migrate.inputs.streams import read_up_to

_LOOKED_AT: Final = 1 << 12
_NO_TEXT: Final = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_PAGE: Final = "an HTML page"
_JSON: Final = "JSON text"
_TEXT: Final = "text"
_7Z: Final = "a 7z archive"
_RAR: Final = "a RAR archive"
_LIKE: Final = (
    (
        re.compile(rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL),
        _PAGE,
    ),
    (re.compile(rb"\s*<(?:\?xml|Error>)"), "XML text"),
    (re.compile(rb"\s*[\[{]"), _JSON),
    (re.compile(rb"7z\xbc\xaf\x27\x1c"), _7Z),
    (re.compile(rb"Rar!\x1a\x07"), _RAR),
    (re.compile(rb"%PDF-"), "a PDF"),
    (re.compile(rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "an old Excel or Word file"),
    (re.compile(rb"\x89PNG|GIF8|\xff\xd8\xff"), "a picture"),
    (re.compile(rb"SQLite format 3\0"), "a SQLite database"),
    (re.compile(rb"\0*\Z"), "zeros alone"),
)
"""First bytes → what they look like; the first that fits."""
_PACKED: Final = {_7Z, _RAR}
_ENDINGS: Final = {
    **dict.fromkeys(("gz", "gzip"), "gzip"),
    **dict.fromkeys(("zst", "zstd"), "zstd"),
    **{name: name for name in ("bz2", "xz", "zip", "tar")},
    **dict.fromkeys(("tgz", "tbz2", "txz", "tzst"), "tar"),
    "parquet": "Parquet",
    "avro": "Avro",
    "orc": "ORC",
}
"""The last part of a name → what the file is by it, where that is no text."""
_NEVER_EMPTY: Final = {"zip", "Parquet", "Avro", "ORC"}
"""What has a beginning and an end even with nothing in it."""


def _like(head: bytes) -> str:
    """Return what these first bytes look like, in words."""
    for pattern, words in _LIKE:
        if pattern.match(head):
            return words
    return "bytes of no kind that is known here" if _NO_TEXT.search(head) else _TEXT


def _head(source: Source) -> bytes:
    """Return a file's first bytes, with every compression taken off."""
    with source.open() as stream:
        return read_up_to(stream, _LOOKED_AT)


def guise(source: Source) -> str | None:
    """Return why a file in which no table found its columns is no export at all, as a sentence; None if it may be one.

    An HTML page is none under any name; other text is none where the name says that it is an archive, compressed or
    columnar.
    """
    named, words = _named(source.name), _like(_head(source))
    if named is not None and not _is(source, named):
        return f"it is no {named} file, found {words}; {_advice(words)}"
    if words == _PAGE:
        return f"it is {words}, and no export; {_advice(words)}"
    return None


def no_text(source: Source) -> str:
    """Return that a file begins with what is no text, as a sentence."""
    words = _like(_head(source))
    advice = "or say what it is written in with --encoding"
    return f"its first line is no text, found {words}; {_advice(words)}{'' if words in _PACKED else f', {advice}'}"


def hollow(name: str) -> str | None:
    """Return why a file without a byte is no file of nothing, as a sentence; None where its kind may be empty."""
    named = _named(name)
    if named not in _NEVER_EMPTY:
        return None
    return f"it is no {named} file, found nothing in it, not a byte; fetch it again"


def _advice(words: str) -> str:
    """Return what to do with a file that looks so."""
    if words in _PACKED:
        return "unpack it first"
    meant = ", or name it otherwise if it is meant as it is" if words in {_TEXT, _JSON} else ""
    return f"fetch it again{meant}"


def _named(name: str) -> str | None:
    """Return what a file is by its name; None where that may be text."""
    last = re.split(r"[/!]", name.lower())[-1]
    stem, _, ending = last.rpartition(".")
    if stem.endswith(".tar") and _ENDINGS.get(ending) is not None:
        return "tar"
    return _ENDINGS.get(ending) if stem else None


def _is(source: Source, named: str) -> bool:
    """Return whether a file that holds text is what its name says: compressed as it says; all else is no text."""
    with source.raw() as stored:
        found = compression(read_up_to(stored, MAGIC_BYTES))
    return found is not None and found[0] == named
