"""How much of its rate a delivery keeps when 5 % of the answers are 503s: the same plan, calm and disturbed.

    python benchmarks/faults.py --events 1000000

Both runs answer after 50 ms. Prints events/s of each, their ratio, and what was lost (nothing, or it fails).
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from migrate.sandbox.server import Sandbox

START = datetime(2024, 4, 1, tzinfo=UTC)
LATENCY = {"fault": "latency", "seconds": 0.05}
DISTURBED = [LATENCY, {"fault": "status", "status": 503, "rate": 0.05, "seed": 1}]


def export(path: Path, events: int) -> Path:
    """Write PostHog-shaped rows of two days and ten thousand people."""
    with path.open("w") as file:
        for n in range(events):
            when = (START + timedelta(seconds=n * 7919 % 172_800)).isoformat()
            row = {
                "event": f"e{n % 9}",
                "distinct_id": f"u{n % 10_007}",
                "timestamp": when,
                "properties": {"n": n},
            }
            file.write(json.dumps(row) + "\n")
    return path


def delivered(source: Path, folder: Path, faults: list[dict[str, object]], *words: str) -> float:
    """Plan, then send to a sandbox with these faults; return events/s of sending."""
    migrate = [sys.executable, "-m", "migrate"]
    plan = [*migrate, "plan", "posthog", str(source), "--workdir", str(folder / "plan"), "--quiet"]
    subprocess.run(plan, check=True)
    with Sandbox(folder / "data", faults=faults) as sandbox:
        began = time.perf_counter()
        send = [*migrate, "apply", str(folder / "plan"), "--host", sandbox.url, "--json", *words]
        send += ["--api-key", "phc_bench"]
        done = subprocess.run(send, check=True, capture_output=True, text=True)
        seconds = time.perf_counter() - began
        summary = json.loads(done.stdout.splitlines()[-1])
        stored = sandbox.summary()["collapsed"]["events"]
    if not stored == summary["events"]["accepted"] == summary["events"]["planned"]:
        raise SystemExit(f"lost or doubled: {stored} stored of {summary['events']}")
    print(f"  {summary['requests']} requests, {summary['retries']} retries, {stored:,} stored, none lost")
    return stored / seconds


def main() -> None:
    """Measure both, print the ratio."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("words", nargs="*", help="more options for migrate apply, after --")
    choices = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = export(folder / "export.jsonl", choices.events)
        rates = {}
        for title, faults in (("calm", [LATENCY]), ("disturbed", DISTURBED)):
            (folder / title).mkdir()
            rates[title] = delivered(source, folder / title, faults, *choices.words)
            print(f"{title:<10} {rates[title]:>10,.0f} events/s")
        print(f"ratio      {rates['disturbed'] / rates['calm']:>10.2f}")


if __name__ == "__main__":
    main()
