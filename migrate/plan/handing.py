"""What another process of ours is to work with → bytes, and back: tables, settings, mapping functions and all.

Mapping functions that no name leads to, such as lambdas within a table, are handed on as their code and what they
enclose; they find their globals in the module that they come from, which the other process imports as well, or which a
user's own mapping has loaded there.
"""

import importlib
import io
import pickle
import sys
import types
from collections.abc import Callable, Sequence
from functools import _lru_cache_wrapper, lru_cache, reduce
from typing import Any

import cloudpickle
import polars as pl
from polars.expr.whenthen import When


def packed(what: object, shared: Sequence[object] = ()) -> bytes:
    """Return an object as bytes; those that are `shared` are handed on by their places there."""
    places = {id(one): place for place, one in enumerate(shared)}
    buffer = io.BytesIO()
    _Packer(buffer, places).dump(what)
    return buffer.getvalue()


def unpacked(data: bytes, shared: Sequence[object] = ()) -> Any:  # noqa: ANN401 - whatever was packed
    """Return the object; `data` is written by our own process, and by no other."""
    unpickler = _Unpacker(io.BytesIO(data))
    unpickler.shared = shared
    return unpickler.load()


class _Packer(cloudpickle.Pickler):  # type: ignore[misc]
    """Packs functions by the module that they come from."""

    def __init__(self, file: io.BytesIO, places: dict[int, int]) -> None:
        super().__init__(file)
        self._places = places

    def persistent_id(self, what: object) -> int | None:
        """Return the place of what is shared."""
        return self._places.get(id(what))

    def reducer_override(self, what: object) -> Any:  # noqa: ANN401 - as pickle has it
        """Return how a function, or what is of a user's own mapping, is handed on; all else as cloudpickle does."""
        if isinstance(what, types.ModuleType) and _is_loaded(what.__name__):
            return importlib.import_module, (what.__name__,)
        if isinstance(what, types.FunctionType) and _is_nameless(what) and _has_module(what):
            return (
                _function,
                (what.__module__, what.__code__, len(what.__closure__ or ())),
                _state(what),
                None,
                None,
                _complete,
            )
        if isinstance(what, _lru_cache_wrapper) and _is_nameless(what):
            return _cached, (what.__wrapped__, what.cache_parameters())
        if isinstance(what, type | types.FunctionType | _lru_cache_wrapper) and _is_loaded(what.__module__):
            return _named, (what.__module__, what.__qualname__)
        if type(what) is When:
            return pl.when, (_condition(what),)
        return super().reducer_override(what)


class _Unpacker(pickle.Unpickler):
    """Knows what is shared."""

    shared: Sequence[object] = ()

    def persistent_load(self, place: int) -> object:
        """Return what is shared."""
        return self.shared[place]


def _is_loaded(module: str) -> bool:
    """Return whether a module was loaded from its path, as those of a user's own mapping are: none imports it."""
    folder = module.rpartition(".")[0]
    return bool(folder) and folder not in sys.modules


def _named(module: str, name: str) -> object:
    """Return what has this name in a module that is loaded already."""
    return reduce(getattr, name.split("."), importlib.import_module(module))


def _is_nameless(what: Any) -> bool:  # noqa: ANN401 - a function, or what wraps one
    """Return whether the module of a function does not lead to it by its name."""
    found: Any = sys.modules.get(what.__module__)
    for name in what.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is not what


def _has_module(function: types.FunctionType) -> bool:
    """Return whether a function's globals are those of a module that is known by its name."""
    module = sys.modules.get(function.__module__)
    return function.__module__ != "__main__" and module is not None and vars(module) is function.__globals__


def _state(function: types.FunctionType) -> tuple[object, ...]:
    """Return what makes a function of its code."""
    cells = [_content(cell) for cell in function.__closure__ or ()]
    return cells, function.__name__, function.__qualname__, function.__defaults__, function.__kwdefaults__


def _content(cell: types.CellType) -> tuple[object, ...]:
    """Return what a cell holds; nothing of one that is empty."""
    try:
        return (cell.cell_contents,)
    except ValueError:
        return ()


def _condition(when: When) -> pl.Expr:
    """Return the condition of a choice that is begun, which polars itself does not pack."""
    condition, *_ = when.then(None).otherwise(None).meta.pop()
    return condition


def _function(module: str, code: types.CodeType, cells: int) -> types.FunctionType:
    """Return a function that is to be completed: it may be among what it encloses itself."""
    closure = tuple(types.CellType() for _ in range(cells))
    return types.FunctionType(code, vars(importlib.import_module(module)), closure=closure)


def _complete(function: types.FunctionType, state: tuple[Any, ...]) -> None:
    """Give a function what it encloses."""
    cells, function.__name__, function.__qualname__, function.__defaults__, function.__kwdefaults__ = state
    for cell, content in zip(function.__closure__ or (), cells, strict=True):
        if content:
            cell.cell_contents = content[0]


def _cached(function: Callable[..., Any], parameters: dict[str, Any]) -> Callable[..., Any]:
    """Return a function that remembers, with nothing remembered yet."""
    found: Callable[..., Any] = lru_cache(**parameters)(function)
    return found
