"""The golden: the payloads of the sample are those that a person has read and kept."""

import re
from collections.abc import Iterator, Sequence
from difflib import unified_diff
from pathlib import Path
from typing import Final

from migrate.laws.sample import Broken, Sample
from migrate.preview import preview

_MOST: Final = 1_000
"""Rows of a sample, which a person reads."""
_OURS: Final = re.compile(r',"\$import_job_id":"[^"]*"|,"\$lib_version":"[^"]*"')
"""What says which import and which version of the tool it is, and no more."""


def lines(sample: Sample) -> list[str]:
    """Return the payloads of the sample, as `migrate preview` prints them."""
    return [text for row in preview(sample.work, _MOST) for text in row.payloads]


def difference(golden: Path, now: Sequence[str]) -> list[str]:
    """Return how payloads differ from those that are kept, as `diff -u` shows it; none kept are no lines."""
    kept = golden.read_text(encoding="utf-8").splitlines() if golden.exists() else []
    before, after = ([_OURS.sub("", line) for line in one] for one in (kept, now))
    return [*unified_diff(before, after, str(golden), "now", n=1, lineterm="")]


def broken(golden: Path, now: Sequence[str]) -> Iterator[Broken]:
    """Yield where payloads differ from the golden, or that there is none."""
    if not golden.exists():
        yield Broken(str(golden), "is not there; --renew writes it: read it then, as it is what will be sent")
    elif found := difference(golden, now):
        count = sum(line[:1] in "+-" and line[:3] not in {"+++", "---"} for line in found)
        yield Broken(
            str(golden),
            f"{count} lines differ; read them, with --renew if they are meant:\n" + "\n".join(found),
        )
