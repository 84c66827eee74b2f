"""A command as it was typed, without the key; it is shown so that it works where it is pasted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from migrate.naming import is_path
from migrate.screen import command_line

RESEND_LOST: Final = "--resend-lost"
_OF_ONCE: Final = (
    *("--again", "--json", "--quiet", "-v", "--log-file", "--log-json", "--samples"),
    RESEND_LOST,
)
"""Options that say what was to be done once, and how the command was to tell of it."""
OF_SENDING: Final = (
    *("--rate", "--concurrency", "--max-batch-bytes", "--max-batch-events", "--gzip", "--no-gzip"),
    *("--max-attempts", "--deadline", "--timeout", "--max-duration", "--window"),
)
"""Options that say how a command was to send, on one night perhaps."""


class Option(NamedTuple):
    """An option that was given, on the command line or by an environment variable."""

    name: str
    value: str | None = None
    is_path: bool = False


@dataclass(frozen=True)
class Command:
    """What was typed but for the workdir: wherever the command is shown, the one at hand is meant."""

    name: str
    platform: str | None
    """Its name, or the path of a mapping; None where the command works on a plan that is there."""
    inputs: Sequence[str]
    options: Sequence[Option]
    folder: str
    """Where it was typed."""
    is_aimed: bool = False
    """Whether the configuration file that it names says where to send."""

    @classmethod
    def of(cls, fact: Mapping[str, Any]) -> Self:
        """Return the command that a fact of a checkpoint is."""
        return cls(**{**fact, "options": [Option(*one) for one in fact["options"]]})

    def fact(self) -> dict[str, Any]:
        """Return the command as a fact of a checkpoint."""
        return vars(self) | {"inputs": [*self.inputs], "options": [[*one] for one in self.options]}

    def shown(self, workdir: Path | None) -> str:
        """Return what to type now, in the folder where this process is, for the workdir at hand; None names none."""
        options = []
        for name, value, is_file in self.options:
            options += [name] if value is None else [name, self._reached(value) if is_file else value]
        inputs = [operand(self._reached(path)) for path in self.inputs]
        if self.platform is None:
            of = inputs if workdir is None else [operand(str(workdir))]
            return command_line(["migrate", self.name, *of, *options])
        platform = operand(self._reached(self.platform)) if is_path(self.platform) else self.platform
        named = [] if workdir is None else ["--workdir", str(workdir)]
        return command_line(["migrate", self.name, platform, *inputs, *options, *named])

    def of_inputs(self, *paths: str) -> Self:
        """Return the same command for other inputs, which are reached from here."""
        return replace(
            self,
            inputs=[
                str(Path(path).absolute()) if self._is_elsewhere() and "://" not in path else path
                for path in paths
            ],
        )

    def anew(self) -> Self:
        """Return the command as another one begins with it: without what was meant for that one time."""
        return self.without(*_OF_ONCE)

    def without(self, *names: str) -> Self:
        """Return the command without these options."""
        return replace(self, options=[option for option in self.options if option.name not in names])

    def plus(self, name: str, value: str) -> Self:
        """Return the command with one more option."""
        return replace(self, options=[*self.options, Option(name, value)])

    def _is_elsewhere(self) -> bool:
        return str(Path.cwd()) != self.folder

    def _reached(self, path: str) -> str:
        """Return how a path is reached from here."""
        is_far = self._is_elsewhere() and "://" not in path
        return str(Path(self.folder, path)) if is_far else path


def operand(path: str) -> str:
    """Return a path so that it is not taken for an option."""
    return f"./{path}" if path.startswith("-") else path
