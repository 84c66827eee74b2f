"""Templates as they were compiled before, which takes ten times as long as a page: kept where Python keeps modules."""

import sys
import tempfile
from contextlib import suppress
from importlib.util import cache_from_source
from pathlib import Path
from typing import Final
from zlib import crc32

import jinja2
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

_FOLDER: Final = Path(cache_from_source(__file__)).parent


class Compiled(BytecodeCache):
    """Compiled templates in a folder; Jinja2 compiles anew what is not there, or is of other words or versions.

    `made_by`: what else decides what a template is compiled to, which Jinja2 does not look at: how it was set up. An
    upgrade leaves the folder as it is.
    """

    def __init__(self, folder: Path = _FOLDER, made_by: bytes = b"") -> None:
        self._folder = folder
        self._made_by = f"{crc32(jinja2.__version__.encode() + made_by):08x}"

    def load_bytecode(self, bucket: Bucket) -> None:
        """Read a template, where it is there and whole."""
        try:
            with self._place(bucket).open("rb") as file:
                bucket.load_bytecode(file)
        except Exception:  # noqa: BLE001 - what a harmed file raises is anybody's guess
            bucket.reset()

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Write one, all of it or nothing; nowhere, where Python may write no modules either."""
        if sys.dont_write_bytecode:
            return
        with suppress(OSError):
            with tempfile.NamedTemporaryFile(dir=self._folder, delete=False) as file:
                bucket.write_bytecode(file)
            Path(file.name).replace(self._place(bucket))

    def _place(self, bucket: Bucket) -> Path:
        return self._folder / f"{bucket.key}-{self._made_by}.jinja"
