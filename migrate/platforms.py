"""Which platforms there are: a mapping is found by its file name."""

from __future__ import annotations

import hashlib
import importlib
import json
import pkgutil
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import mappings
from migrate.errors import UsageError
from migrate.toml import parsed, parsed_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from migrate.kit.declare import Platform


def names() -> list[str]:
    """Return the names of all platforms; modules that begin with `_` are what several of them share."""
    return list(_names(tuple(mappings.__path__)))


@cache
def _names(folders: tuple[str, ...]) -> tuple[str, ...]:
    """Return the same for these folders, looked up once: who looks at many files asks for it with each."""
    found = (module.name for module in pkgutil.iter_modules(folders))
    return tuple(sorted(name for name in found if not name.startswith("_")))


def mapping(name: str) -> Platform:
    """Return a platform's mapping; raises UsageError for an unknown name."""
    if name not in names():
        raise UsageError(
            f"PLATFORM: no such platform, found '{name}'; choose one of {', '.join(names())}, or give the path of a "
            "mapping of your own (docs/mappings.md)"
        )
    found: Platform = importlib.import_module(f"mappings.{name}").MAPPING
    return found


def platform(
    name: str, spec: Path | None = None, own: Platform | None = None, draft: str | None = None
) -> Platform:
    """Return a platform's mapping, its tables built from the spec; raises UsageError for a missing or wrong spec.

    `own` is the mapping where it is the user's own, which is found by no name. `draft` is what the spec is to say,
    where that is not what its file says.
    """
    found = mapping(name) if own is None else own
    if found.from_spec is None:
        if spec is not None:
            raise UsageError(f"--spec: {name} needs no spec, found {spec}; leave it out")
        return found
    if spec is None:
        raise UsageError(f"--spec: {name} needs a TOML file that describes the columns; see docs/spec.md")
    said = document(spec, draft)
    layout = found.layout_of(said) if found.layout_of else {}
    headerless = found.headerless_of(said) if found.headerless_of else ()
    return replace(found, tables=found.from_spec(said), layout=layout, headerless=headerless)


def document(spec: Path, draft: str | None = None) -> Mapping[str, Any]:
    """Return a TOML document, or a draft of it; raises UsageError when it cannot be read."""
    try:
        return parsed(spec) if draft is None else parsed_text(draft)
    except OSError as error:
        raise UsageError(
            f"--spec: {spec} cannot be read, found '{error.strerror}'; give a TOML file"
        ) from error
    except ValueError as error:
        raise UsageError(f"{spec}: not TOML, found '{error}'; see docs/spec.md") from error


def digest(spec: Path) -> str:
    """Return a hash of what a spec says, however it is laid out."""
    said = json.dumps(document(spec), sort_keys=True, default=str)
    return hashlib.blake2b(said.encode(), digest_size=16).hexdigest()
