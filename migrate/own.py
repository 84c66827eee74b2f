"""A mapping of the user's own: a Python file with a `MAPPING`, loaded from its path for whoever holds it, and no other.

Modules that lie beside it are its own, too: `import _acme_things` finds them, first of all, and finds them for this
file alone, as nothing is put on `sys.path`. Two files of one name, in two folders, know nothing of each other.
"""

import ast
import builtins
import hashlib
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from functools import cached_property
from pathlib import Path
from socket import gethostname
from threading import RLock
from traceback import FrameSummary, extract_tb
from types import ModuleType
from typing import Any, Final

import polars as pl

from migrate import platforms
from migrate.errors import MigrateError, Refused, UsageError
from migrate.kit.declare import Platform
from migrate.naming import SUFFIX, named

_PAGE: Final = "docs/mappings.md"
_OF_POLARS: Final = pl.exceptions.PolarsError
_PANIC: Final = "PanicException"
"""What polars raises where its own code stumbles; it has no public name."""
_TAKEN: Final = {*sys.stdlib_module_names, "mappings", "migrate", "polars"}
"""Names that a file beside a mapping does not take from what a mapping is written with."""


class Own:
    """The mapping in a file, as it was when this was made; another process that is handed one loads the file anew."""

    def __init__(self, path: str | Path) -> None:
        """Load it; raises UsageError, which says where and what is wrong."""
        self.path = Path(path)
        self.name = named(str(path))
        if self.name in platforms.names():
            raise UsageError(
                f"PLATFORM: called as the platform {self.name}, with which its events would be mixed up, found "
                f"'{self.path}'; rename the file, or type {self.name} for the one that is built in"
            )
        self._loaded = _Loaded(self.path)
        self.platform = self._loaded.mapping()

    def __reduce__(self) -> tuple[Callable[[str], "Own"], tuple[str]]:
        """Hand the path on, not what was made of the file."""
        return _anew, (str(self.path.absolute()),)

    @cached_property
    def digest(self) -> str:
        """A hash of what the file and the modules beside it say, without comments, docstrings and layout."""
        whole = hashlib.blake2b(digest_size=16)
        for name, text in sorted(self._loaded.texts.items()):
            whole.update(f"{name.stem}\n{_said(text)}\n".encode(errors="surrogatepass"))
        return whole.hexdigest()

    def is_part(self, path: Path) -> bool:
        """Return whether a file is the mapping, a module beside it, or what `migrate test` keeps of it."""
        return path.resolve() in {one.resolve() for one in (*self._loaded.texts, self.golden)}

    @property
    def golden(self) -> Path:
        """Where the payloads of its sample are kept that a person has read."""
        return self.path.with_name(f"{self.path.stem}.golden.jsonl")

    def samples(self) -> list[Path]:
        """Return its sample, which lies beside it: what is called `acme.sample`, a folder, or a file with an ending."""
        start = f"{self.path.stem}.sample"
        beside = sorted(self.path.absolute().parent.iterdir())
        return [
            self.path.with_name(one.name)
            for one in beside
            if one.name == start or one.name.startswith(f"{start}.")
        ]

    def place(self, error: BaseException) -> str:
        """Return where in the user's own files an exception arose, as far as it did there."""
        return self._loaded.place(error)

    @contextmanager
    def explained(self, at: str = "") -> Iterator[None]:
        """Have what its functions raise be said as what is wrong with the file, with where `at` it arose.

        So is what polars raises, which does the work of its expressions. All else stays as it is, our errors first.
        """
        try:
            yield
        except (MigrateError, KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:
            if not self._loaded.is_cause(error):
                raise
            raise UsageError(f"{self.place(error)}: {named_error(error)}{at}; mend it there") from error


def _anew(path: str) -> Own:
    """Return the mapping in another process, perhaps of another machine; raises Refused where it is not there."""
    if not Path(path).exists():
        raise Refused(
            f"{path}: not there on {gethostname()}, where files are to be planned with it; have it, and what lies "
            "beside it, under the same path on every machine"
        )
    return Own(path)


def beside(path: Path) -> list[Path]:
    """Return the modules beside a mapping that it imports, or that these do, without running it.

    As far as they can be read: a file that is no Python, which is being mended, imports nothing.
    """
    found, left = dict[Path, None](), [path]
    for one in left:
        try:
            tree = ast.parse(one.read_bytes())
        except (OSError, SyntaxError, ValueError):
            continue
        names = [
            name
            for node in ast.walk(tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for name in (
                [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            )
        ]
        files = [path.with_name(f"{name}{SUFFIX}") for name in names if name and name not in _TAKEN]
        new = [file for file in files if file.is_file() and file != path and file not in found]
        found |= dict.fromkeys(new)
        left += new
    return [*found]


def _said(text: bytes) -> str:
    """Return a module without what says nothing to Python."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            match node.body:
                case [ast.Expr(value=ast.Constant(value=str())), *rest]:
                    node.body = rest
    return ast.unparse(tree)


class _Loaded:
    """A file and the modules beside it, as modules of Python that nobody else finds under a name of theirs."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._folder = path.absolute().parent
        where = os.path.realpath(path).encode(errors="surrogateescape")
        self._room = f"migrate-own-{hashlib.blake2b(where, digest_size=8).hexdigest()}"
        self._modules: dict[str, ModuleType] = {}
        self._lock = RLock()
        self.texts: dict[Path, bytes] = {}

    def mapping(self) -> Platform:
        """Return the file's mapping; raises UsageError."""
        path = self._path
        if path.is_dir():
            raise UsageError(
                f"PLATFORM: a folder, found '{path}'; name the Python file with the MAPPING in it"
            )
        if path.suffix.lower() != SUFFIX:
            raise UsageError(
                f"PLATFORM: no Python file, found '{path}'; the first word is a platform or the path of a mapping of "
                f"your own ({_PAGE}), and what to read follows it"
            )
        if not path.exists():
            raise UsageError(f"PLATFORM: no such file, found '{path}'; check the path")
        try:
            with redirect_stdout(sys.stderr):  # what a file prints is none of the command's data
                module = self._module(path)
        except UsageError as error:  # of what it declares, or of its text
            place = self.place(error)
            raise UsageError(str(error) if str(error).startswith(place) else f"{place}: {error}") from None
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever a user's file raises is the user's to mend
            raise UsageError(
                f"{self.place(error)}: {named_error(error)} when it was loaded; mend it there"
            ) from None
        return _checked(str(path), vars(module).get("MAPPING"))

    def place(self, error: BaseException) -> str:
        """Return the file and line, of these files, from which an exception comes."""
        if (frame := self._frame(error)) is None:
            return str(self._path)
        return f"{self._shown(Path(frame.filename))}:{frame.lineno}"

    def is_cause(self, error: BaseException) -> bool:
        """Return whether an exception comes from these files, or from polars, which calls their expressions."""
        is_of_polars = isinstance(error, _OF_POLARS) or type(error).__name__ == _PANIC
        return is_of_polars or self._frame(error) is not None

    def _frame(self, error: BaseException) -> FrameSummary | None:
        """Return the last place in these files on an exception's way."""
        known = {str(path) for path in self.texts}
        frames = [frame for frame in extract_tb(error.__traceback__) if frame.filename in known]
        return frames[-1] if frames else None

    def _shown(self, path: Path) -> Path:
        """Return one of these files as it would be typed: where the mapping was said to lie."""
        return self._path.with_name(path.name)

    def _module(self, path: Path) -> ModuleType:
        """Return the module in a file, run once."""
        where = path.absolute()
        try:
            text = where.read_bytes()
        except OSError as error:
            raise UsageError(
                f"{self._shown(path)}: cannot be read, found '{error.strerror}'; look whose file it is"
            ) from None
        self.texts[where] = text
        try:
            code = compile(text, str(where), "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            raise UsageError(_no_python(self._shown(path), error)) from None
        module = ModuleType(f"{self._room}.{path.stem}")
        module.__file__, module.__package__ = str(where), ""
        vars(module)["__builtins__"] = vars(builtins) | {
            "__import__": self._import,
            "print": _said_aside,
        }
        self._modules[path.stem] = sys.modules[module.__name__] = module  # where dataclasses look for it
        try:
            exec(code, vars(module))  # noqa: S102 - the user's own file, which the user has named
        except BaseException:
            del self._modules[path.stem], sys.modules[module.__name__]
            raise
        return module

    def _import(self, name: str, *how: Any) -> ModuleType:  # noqa: ANN401 - as Python calls it
        """Import what lies beside the mapping, or else what there is for everybody."""
        beside = self._folder / f"{name}{SUFFIX}"
        level = how[3] if len(how) > 3 else 0  # noqa: PLR2004 - globals, locals, names, level
        if level > 1 or not name or name in _TAKEN or not beside.is_file():
            return builtins.__import__(name, *how)
        with self._lock:  # a function may import when it is called, in any thread
            return self._modules.get(name) or self._module(beside)


def _said_aside(*values: object, **how: Any) -> None:  # noqa: ANN401 - as Python calls it
    """Print, on stderr unless it is said otherwise: what a file prints is none of the command's data."""
    print(*values, **how | {"file": how.get("file") or sys.stderr})  # noqa: T201 - the user's own


def named_error(error: BaseException) -> str:
    """Return an exception as Python names it, on one line."""
    said = re.sub(r"\s+", " ", str(error).strip().partition("\n\n")[0])
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def _no_python(path: Path, error: SyntaxError | ValueError) -> str:
    """Return why a text is no Python, and where."""
    if not isinstance(error, SyntaxError):
        return f"{path}: no Python, found '{error}'; mend it there"
    line = "" if error.lineno is None else f":{error.lineno}"
    found = f", found '{error.text.strip()[:80]}'" if error.text and error.text.strip() else ""
    return f"{path}{line}: no Python, {error.msg}{found}; mend it there"


def _checked(where: str, found: object) -> Platform:
    """Return a `MAPPING` that can be one; raises UsageError for what cannot."""
    if found is None:
        raise UsageError(f"{where}: no MAPPING in it; end it with MAPPING = Platform(…), see {_PAGE}")
    if not isinstance(found, Platform):
        kind = type(found).__name__
        raise UsageError(
            f"{where}: MAPPING: no Platform, found '{kind}'; write MAPPING = Platform(…), see {_PAGE}"
        )
    if not isinstance(found.title, str) or not found.title.strip():
        raise UsageError(f"{where}: MAPPING: title: no name, found {found.title!r}; say what people call it")
    for name in ("identity_version", "payload_version"):
        if type(number := getattr(found, name)) is not int or number < 1:
            raise UsageError(
                f"{where}: MAPPING: {name}: no whole number from 1 on, found {number!r}; begin with 1"
            )
    if not (found.tables or found.tables_of or found.from_spec):
        raise UsageError(f"{where}: MAPPING: tables: none in it; add a Table(…), see {_PAGE}")
    return found
