"""What may be typed where PostHog is asked for what was sent: how patiently, whether a run does so, what is undone."""

from dataclasses import dataclass

from migrate.cli.asking import AskOptions
from migrate.cli.kinds import Duration
from migrate.cli.params import flag, preset


@dataclass(frozen=True, kw_only=True, repr=False)
class VerifyOptions(AskOptions):
    """How PostHog is asked, and how patiently."""

    wait: float = preset(
        Duration(),
        "0s",
        "How long to ask again for what is missing, as PostHog reads history in its own time.",
    )


@dataclass(frozen=True, kw_only=True, repr=False)
class AfterOptions(VerifyOptions):
    """The same, of a command that has sent before it asks."""

    verify: bool = flag("When all is sent, compare what was sent now with what PostHog has.")


@dataclass(frozen=True, kw_only=True, repr=False)
class UndoOptions(AskOptions):
    """How PostHog is asked, and whether people are deleted."""

    delete_persons: bool = flag(
        "Delete the people of the import who have no event of another origin, with all of their events.",
        is_typed_only=True,
    )
