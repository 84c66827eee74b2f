"""What plan keeps for a report, as a share of the processor time of planning.

    python benchmarks/generate.py --format parquet --rows 500000 --files 4 --out FOLDER
    python benchmarks/looks.py table FOLDER

The frames that are looked at while a folder is planned are kept, and looked at again alone: the least of five times.
How many events there are of each name is asked of any plan; of their count by days what that takes is taken off.
Two whole processes differ by more than that, see `against.py`.
"""

import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from migrate.plan import finished, looked, units
from migrate.planning import Planning
from migrate.session import Session, collect_rarely
from migrate.settings import Settings
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.days import DayWriter
from migrate.workdir.looks import Look

Calls = dict[str, list[tuple[tuple[Any, ...], dict[str, Any]]]]


def listening(calls: Calls, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that keeps what it is called with."""

    def called(*given: Any, **named: Any) -> Any:  # noqa: ANN401 - whatever it is called with
        calls[name].append((given, named))
        return function(*given, **named)

    return called


def planned(platform: str, folder: Path, calls: Calls) -> tuple[int, float]:
    """Plan a folder; return its rows and the processor seconds that took."""
    finished.dated = listening(calls, "days of rows", looked.dated)
    units.see = listening(calls, "properties", looked.see)
    DayWriter._count = listening(calls, "names by day", DayWriter._count)  # type: ignore[method-assign] # noqa: SLF001
    spec = folder / "spec.toml"
    with tempfile.TemporaryDirectory() as workdir, Checkpoint.open(Path(workdir), create=True) as checkpoint:
        began = time.process_time()
        work = Settings(platform=platform, spec=spec if spec.exists() else None).work([str(folder)])
        Planning.of(Session(checkpoint), work, None).plan()
        return checkpoint.numbers().read, time.process_time() - began


def timed(function: Callable[..., Any], calls: Sequence[tuple[tuple[Any, ...], dict[str, Any]]]) -> float:
    """Return how many processor seconds all of these calls take."""
    began = time.process_time()
    for given, named in calls:
        function(*given, **named)
    return time.process_time() - began


def main() -> None:
    """Plan, look again, and say how long that took."""
    calls: Calls = defaultdict(list)
    count = DayWriter._count  # noqa: SLF001
    collect_rarely()
    rows, whole = planned(sys.argv[1], Path(sys.argv[2]), calls)
    opened = defaultdict[str, Any](lambda: SimpleNamespace(names=Counter()))
    again: dict[str, Callable[..., Any]] = {
        "names": lambda _, frame, *__: frame["event"].value_counts(),
        "days of rows": looked.dated,
        "properties": lambda _, frame, **named: looked.see(Look(), frame, **named),
        "names by day": lambda _, *given: count(SimpleNamespace(_open=opened), *given),  # type: ignore[arg-type]
    }
    print(f"{rows:,} rows, {whole / rows * 1e6:.1f} µs of processor time each")
    calls["names"] = calls["names by day"]
    took = {name: min(timed(function, calls[name]) for _ in range(5)) for name, function in again.items()}
    took["names by day"] -= took.pop("names")
    total = sum(took.values())
    for name, seconds in took.items():
        print(f"{name:14}{seconds / rows * 1e9:6.0f} ns a row {100 * seconds / whole:6.2f} %")
    print(f"{'together':14}{total / rows * 1e9:6.0f} ns a row {100 * total / whole:6.2f} %")


if __name__ == "__main__":
    main()
