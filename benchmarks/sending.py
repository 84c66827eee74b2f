"""Say where the time of apply goes: each stage in turn, in one thread, nothing sent."""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from shutil import copytree
from typing import Any, Final

from migrate.cli.main import prepare

prepare()

from isal import igzip  # noqa: E402

from migrate.apply import merge  # noqa: E402
from migrate.apply.batches import Envelope, Payloads, batches, body  # noqa: E402
from migrate.apply.pieces import spread  # noqa: E402
from migrate.workdir.checkpoint import Checkpoint  # noqa: E402
from migrate.workdir.records import Round, Settled  # noqa: E402

_ENVELOPE: Final = Envelope(b"x" * 80, b"]}")
_CHUNK_BYTES: Final = 8 << 20


class Stages:
    """Processor seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def timed(self, stage: str, work: Callable[..., Any], *given: Any) -> Any:  # noqa: ANN401 - any function
        """Do some work, its time added to a stage."""
        began = time.process_time()
        try:
            return work(*given)
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.process_time() - began


def staged(workdir: Path, stages: Stages, lanes: int) -> int:
    """Do all that apply does but send; return how many events there were."""
    events = 0
    with Checkpoint.open(workdir) as checkpoint:
        turns: list[Round] = [
            turn for day in checkpoint.days() for turn in stages.timed("checkpoint", checkpoint.rounds, day)
        ]
        for turn in turns:
            chunks = merge.chunks(workdir, turn.parts, turn.earlier, chunk_bytes=_CHUNK_BYTES)
            while (chunk := stages.timed("reading, merging", next, chunks, None)) is not None:
                for payloads in stages.timed("lanes", spread, chunk.frame, lanes).values():
                    _bodies(payloads, stages)
                settled = Settled(chunk.frame.height, chunk.duplicate)
                stages.timed("checkpoint", checkpoint.settle, turn, settled)
                events += chunk.frame.height
            stages.timed("checkpoint", checkpoint.finish, turn)
    return events


def _bodies(payloads: Payloads, stages: Stages) -> None:
    """Make the request bodies of one lane."""
    for batch in batches(payloads, envelope=_ENVELOPE, max_bytes=5 << 20, max_events=1_000):
        text = stages.timed("bodies", body, _ENVELOPE, payloads, batch.start, batch.stop)
        stages.timed("gzip", igzip.compress, text, 1)


def main() -> None:
    """Print the stages of a planned workdir, which stays as it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workdir", type=Path)
    parser.add_argument("--lanes", type=int, default=16)
    choices = parser.parse_args()
    stages = Stages()
    with tempfile.TemporaryDirectory() as folder:
        copy = copytree(choices.workdir, Path(folder) / "copy")
        events = staged(copy, stages, choices.lanes)
    whole = sum(stages.seconds.values())
    print(f"{events:,} events, one stage at a time in one thread; aiohttp is not in it\n")
    print(f"{'stage':<24}{'cpu s':>9}{'share':>8}{'events/s':>13}")
    for stage, seconds in sorted(stages.seconds.items(), key=lambda item: -item[1]):
        print(f"{stage:<24}{seconds:>9.2f}{seconds / whole:>8.0%}{events / max(seconds, 1e-9):>13,.0f}")
    print(f"{'together':<24}{whole:>9.2f}{1:>8.0%}{events / whole:>13,.0f}")


if __name__ == "__main__":
    main()
