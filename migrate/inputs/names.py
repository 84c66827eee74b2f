r"""Names of files, of any bytes → as a terminal, a log and SQLite can take them, no two alike; and back to the files.

A byte that is no text, or a control character, stands as `\xff` (or `\n`, `\r`, `\t`), another character that cannot be
printed as `\u0085`, and a backslash as two. A source is called `path` or `archive!member`, so that a `!` in a path
stands as `\x21`.
"""

import re
from pathlib import Path
from typing import Final

_LETTERS: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\"}
_WRITTEN: Final = re.compile(r"\\(?:(\\|n|r|t)|x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8}))")
_DIGITS: Final = re.compile(r"([0-9]+)")
_ASCII: Final = 0x80
_BYTES: Final = range(0xDC80, 0xDD00)
"""What Python has in the place of bytes that are no text (PEP 383)."""


def expanded(given: str) -> Path:
    """Return the path that is meant, where `~` is somebody's home; raises ValueError, which says why, where none is."""
    if "\0" in given:
        raise ValueError("a NUL character in a path")
    try:
        return Path(given).expanduser()
    except RuntimeError:
        raise ValueError("the home of somebody who is not known here") from None


def shown(name: str) -> str:
    """Return a name as it is shown and noted."""
    if name.isprintable() and "\\" not in name:
        return name
    return "".join(map(_written, name))


def source_name(path: str, member: str | None = None) -> str:
    """Return what a file, or a member of an archive, is called as a source."""
    name = "\\x21".join(map(shown, path.split("!")))
    return name if member is None else f"{name}!{shown(member)}"


def path_text(name: str) -> str:
    """Return the path, or the address, of the file or archive of a source by its name."""
    return plain(archive_of(name)) if "!" in name or "\\" in name else name


def archive_of(name: str) -> str:
    """Return the name of the file, or the archive, of a source by its name."""
    return name.partition("!")[0]


def plain(name: str) -> str:
    """Return a name as it was before it was `shown`."""
    return _WRITTEN.sub(_read, name) if "\\" in name else name


def natural(name: str) -> list[tuple[int, str]]:
    """Sort key: runs of digits by value, everything else by code point; `_9#0` before `_10#0`."""
    parts = _DIGITS.split(name)
    return [_number(part) if index % 2 else (0, part) for index, part in enumerate(parts)] + [(0, name)]


def _number(digits: str) -> tuple[int, str]:
    """Return what sorts digits by their value, however many there are."""
    value = digits.lstrip("0")
    return len(value), value


def _written(character: str) -> str:
    """Return a character as it is shown."""
    if character in _LETTERS:
        return _LETTERS[character]
    if character.isprintable():
        return character
    code = ord(character)
    if code in _BYTES:
        return f"\\x{code - 0xDC00:02x}"
    if code < _ASCII:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 1 << 16 else f"\\U{code:08x}"


def _read(found: re.Match[str]) -> str:
    """Return the character that is shown so."""
    if found[1]:
        return {"n": "\n", "r": "\r", "t": "\t"}.get(found[1], "\\")
    code = int(found[2] or found[3] or found[4], 16)
    return chr(code + 0xDC00 if found[2] and code >= _ASCII else code)
