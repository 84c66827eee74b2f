"""What was inspected → the commands to go on with, each as it can be pasted."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Final, NamedTuple

from migrate.inspecting import Inspection, Kind
from migrate.workdir.typed import Command, Option

ZONE: Final = "ZONE"
"""In the place of a zone that only the user knows."""


class Way(NamedTuple):
    """A command to go on with, and what it is for."""

    command: str
    why: str


def ways(found: Inspection, typed: Command) -> list[Way]:
    """Return the commands for these inputs, that of most files first; `typed`: the command that looked at them."""
    return [*_runs(found, typed), *describing(found, typed)]


def describing(found: Inspection, typed: Command) -> Iterator[Way]:
    """Yield the commands for a table that no platform has: a first spec of it, then what it makes."""
    unknown = [kind for kind in found.kinds if not kind.order and kind.looked]
    if not unknown:
        return
    source, anew = unknown[0].file.source, typed.anew()
    use = (
        "name these as INPUT" if source.member is None else "unpack what they lie in, and name these as INPUT"
    )
    whose = f", of {source.name} and its like alone: {use}" if len(found.kinds) > 1 else ""
    spec = replace(
        anew, name="spec", platform=None, options=[*_options(typed), Option("--output", "spec.toml")]
    )
    run = replace(
        anew, name="run", platform="table", options=[*_options(typed), Option("--spec", "spec.toml")]
    )
    yield Way(spec.shown(None), f"to write a first spec, to be looked over{whose}")
    yield Way(f"{run.shown(None)} --dry-run", "once spec.toml says which column is which (docs/spec.md)")


def _runs(found: Inspection, typed: Command) -> Iterator[Way]:
    """Yield the command for each platform; several that take the same files are named one below the other."""
    files: Counter[str] = Counter()
    beside: dict[str, list[str]] = {}
    zoned: set[str] = set()
    for kind in found.kinds:
        if not kind.order or kind.refusal is not None:
            continue
        first, *others = [one.platform for one in kind.order]
        files[first] += len(kind.files)
        beside.setdefault(first, []).extend(others)
        zoned |= {first, *others} if needs_zone(kind) else set()
    others = list(dict.fromkeys(other for name in files for other in beside[name] if other not in files))
    for name in [*(name for name, _ in files.most_common()), *others]:
        options = _options(typed)
        options += [Option("--source-timezone", ZONE)] if name in zoned else []
        is_all = all(name in [one.platform for one in kind.order] for kind in found.kinds)
        options += [] if is_all else [Option("--skip-unknown")]
        command = replace(typed.anew(), name="run", platform=name, options=[*options, Option("--dry-run")])
        notes = [f"{ZONE} is the zone of the project, such as Europe/Berlin"] if name in zoned else []
        notes += [] if name in files else ["if it is of that platform"]
        yield Way(command.shown(None), "; ".join(notes))


def needs_zone(kind: Kind) -> bool:
    """Return whether nobody but the user knows in which zone the times of a kind of files are."""
    clock = kind.clock
    return clock is not None and clock.zone in {"unknown", "in some"}


def _options(typed: Command) -> list[Option]:
    """Return the options that say how files are read."""
    return [*typed.anew().options]
