"""How it was done: the versions, the commands, the options and the inputs, so that someone else can do it again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

from migrate import VERSION
from migrate.page.letters import cut
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.typed import Command, Option

INPUTS: Final = 100
"""Inputs that are named."""
_LETTERS: Final = 400


class Source(NamedTuple):
    """An input: its name, its bytes, and a hash of them."""

    name: str
    size: int
    digest: str


@dataclass(frozen=True)
class Provenance:
    """What there is to know, in the order in which it is shown; values are shortened."""

    facts: Sequence[tuple[str, str]] = ()
    commands: Sequence[tuple[str, str]] = ()
    """What was typed, and for what."""
    options: Sequence[tuple[str, str]] = ()
    inputs: Sequence[Source] = ()
    files: int = 0
    """Inputs in all."""
    bytes: int = 0
    """Their bytes."""


def gather(checkpoint: Checkpoint, facts: Mapping[str, Any]) -> Provenance:
    """Return how a workdir was made."""
    sql = "SELECT count(*), coalesce(sum(size), 0) FROM inputs WHERE name NOT LIKE '(%'"
    files, size = checkpoint.query(sql).fetchone()
    sql = "SELECT name, size, digest FROM inputs WHERE name NOT LIKE '(%' ORDER BY id LIMIT ?"
    rows = checkpoint.query(sql, (INPUTS,))
    return Provenance(
        [(name, cut(text, _LETTERS)) for name, text in _facts(facts)],
        [(name, cut(text, _LETTERS)) for name, text in _commands(checkpoint, facts)],
        [(name, cut(_said(value), 100)) for name, value in sorted(facts.items()) if _is_option(name, value)],
        [Source(cut(name, 100), size, digest) for name, size, digest in rows],
        files,
        size,
    )


def _facts(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what else decides what was planned, and what became of it."""
    yield "platform", str(facts.get("platform") or "")
    yield "this page", f"migrate {VERSION}"
    yield "planned with", f"migrate {facts.get('begun_with') or 'an earlier version'}"
    yield (
        "mapping",
        (
            f"identity version {facts.get('identity_version')}, payload version "
            f"{', '.join(map(str, facts.get('payload_versions', [])))}"
        ),
    )
    for name, key in (("mapping file", "mappings"), ("rules", "rules")):
        if digests := [str(one) for one in facts.get(key, []) if one]:
            yield name, f"digest {', then '.join(digests)}"
    if rules := facts.get("rules_identity"):
        yield "rules on events and ids", f"digest {rules}"
    yield "import", str(facts.get("import_id") or "not named yet")
    if target := facts.get("target") or facts.get("asked_for"):
        protocol = f", capture {facts['protocol']}" if facts.get("protocol") else ""
        yield "target", f"{target}{protocol}"


def _commands(checkpoint: Checkpoint, facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what was typed; paths are whole, so that it means the same wherever it is read."""
    seen = set()
    for what, key in (("planned by", "planned_by"), ("sent by", "sent_by")):
        if typed := facts.get(key):
            text = _anchored(Command.of(typed).anew()).shown(checkpoint.workdir)
            if text not in seen:
                yield what, text
            seen.add(text)


def _anchored(command: Command) -> Command:
    """Return a command with its paths whole."""
    folder = Path(command.folder)
    inputs = [one if "://" in one else str(folder / one) for one in command.inputs]
    options = [
        Option(name, str(folder / value) if is_path and value and "://" not in value else value, is_path)
        for name, value, is_path in command.options
    ]
    return replace(command, inputs=inputs, options=options, folder=str(Path.cwd()))


def _is_option(name: str, value: object) -> bool:
    return name.startswith("--") and value not in (None, [], False)


def _said(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
