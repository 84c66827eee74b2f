"""The screen of `migrate rejects`: what is open, by reason, and how it is mended."""

import shlex
from collections.abc import Iterator

from migrate.report.numbers import Summary
from migrate.report.sections import Line, places
from migrate.workdir import parked, rejects
from migrate.workdir.checkpoint import REJECTS, Checkpoint


def lines(checkpoint: Checkpoint, numbers: Summary) -> Iterator[Line]:
    """Yield rejected rows with where the first of them are, files with why they are set aside, parked events."""
    for reason, count in sorted(numbers.open_rejects.items(), key=lambda item: -item[1]):
        yield Line(f"rejected {count:>12,} {reason}{places(rejects.places(checkpoint, reason))}")
    if numbers.open_rejects:
        yield _mending(checkpoint)
    for name, one in checkpoint.set_aside().items():
        if not one.is_dismissed:
            yield Line(f"aside    {one.reason}: {name}: {one.why}")
    for words, count in parked.by_words(checkpoint).items():
        yield Line(f"parked   {count:>12,} {words}")
    if numbers.events.parked:
        yield Line(
            "         to send them again, once the cause is fixed or their payloads are mended in parked.jsonl: "
            f"migrate resend {shlex.quote(str(checkpoint.workdir))}"
        )
    if not (numbers.open_rejects or numbers.set_aside or numbers.events.parked):
        yield Line("nothing is open")


def _mending(checkpoint: Checkpoint) -> Line:
    """Return how rejected rows are mended."""
    workdir = shlex.quote(str(checkpoint.workdir))
    platform = checkpoint.facts().get("platform", "PLATFORM")
    return Line(
        f"         to mend them: cp {shlex.quote(str(checkpoint.workdir / REJECTS))} mended.jsonl, mend what its lines "
        "have as `source`, and plan it, with the options of the first plan: migrate plan "
        f"{platform} mended.jsonl --workdir {workdir}; or mend the file they come from and plan it --again; "
        "or --dismiss REASON"
    )
