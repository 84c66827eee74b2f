"""How soon `migrate serve` answers after a change of the spec, on a file of any size.

A whole server, asked over a socket as its page asks it: the first answer, then changes of what becomes of rows, of what
is read as what, and of what is looked at. The file is made of repeated rows, and goes when it has been measured.
"""

import argparse
import json
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.request import Request, urlopen

from measuring import MIGRATE

SPEC: Final = """\
event = "action"
distinct_id = ["user_id", "device_id"]
timestamp = "ordered_at"
dedup_key = ["order_id"]
json = ["items"]
{reading}
[constants]
round = {round}

[[links]]
anonymous = "device_id"
identified = "user_id"
"""
_HEAD: Final = b"order_id,action,user_id,device_id,ordered_at,price,items,country,gift,note\n"
_GIGABYTE: Final = 1_000_000_000
_READINGS: Final = ('numbers = ["price"]', 'booleans = ["gift"]', 'drop = ["note"]')


def rows(count: int) -> Iterator[bytes]:
    """Yield rows, no two of the first ones alike."""
    actions = ("order placed", "viewed", "paid")
    for n in range(count):
        at = f"2024-04-{n % 28 + 1:02}T{n % 24:02}:{n % 60:02}:00Z"
        items = f'"[{{""sku"": ""a-{n % 50}"", ""n"": 2}}]"'
        who = f"u-{n % 500},d-{n % 700}"
        note = "some words that a person wrote in the shop"
        yield f"o-{n},{actions[n % 3]},{who},{at},{n % 100}.90,{items},DE,yes,{note}\n".encode()


def write(path: Path, size: int) -> None:
    """Write a CSV of at least so many bytes."""
    block = b"".join(rows(100_000))
    with path.open("wb") as file:
        written = file.write(_HEAD)
        while written < size:
            written += file.write(block)


class Page:
    """A server of the command's own, and what its page asks."""

    def __init__(self, data: Path, spec: Path) -> None:
        command = [str(MIGRATE), "serve", "table", str(data), "--spec", str(spec)]
        began = time.perf_counter()
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        url = self._process.stderr.readline().split()[-1] if self._process.stderr else ""
        self.seconds = time.perf_counter() - began
        self._address, _, self._token = url.partition("/?t=")

    def tried(self, text: str) -> tuple[float, dict[str, Any]]:
        """Return how long an answer takes, in seconds, and the answer."""
        body = json.dumps({"text": text, "view": {}}).encode()
        headers = {"X-Migrate-Token": self._token, "Content-Type": "application/json"}
        began = time.perf_counter()
        request = Request(f"{self._address}/api/try", body, headers)  # noqa: S310 - our own server
        with urlopen(request, timeout=600) as answer:  # noqa: S310
            found = json.load(answer)
        return time.perf_counter() - began, found

    def memory(self) -> list[float]:
        """Return how much the server took at most, and each process that it has begun, in MB."""
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [peak(one) for one in (pid, *children)]

    def end(self) -> float:
        """End it, and return how long that takes, in seconds."""
        began = time.perf_counter()
        self._process.send_signal(signal.SIGINT)
        self._process.wait(60)
        return time.perf_counter() - began


def peak(pid: int | str) -> float:
    """Return how much a process took at most, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = [one for one in status.splitlines() if one.startswith("VmHWM:")]
    return int(line.split()[1]) / 1_000


def told(what: str, seconds: list[float]) -> str:
    """Return a line of figures."""
    ordered = sorted(seconds)
    return f"{what:<44} median {statistics.median(ordered):.3f} s, longest {ordered[-1]:.3f} s, of {len(ordered)}"


def main() -> None:
    """Write the file, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--changes", type=int, default=20)
    parser.add_argument("--folder", type=Path, help="where the file is written for the while")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        data, spec = Path(folder) / "orders.csv", Path(folder) / "spec.toml"
        write(data, int(options.gigabytes * _GIGABYTE))
        spec.write_text(SPEC.format(reading=_READINGS[0], round=0))
        page = Page(data, spec)
        print(f"{data.stat().st_size:,} bytes; listening after {page.seconds:.1f} s")
        first, found = page.tried(spec.read_text())
        print(told(f"the first answer, {found['counts']['mapped']:,} rows mapped", [first]))
        changed = [page.tried(SPEC.format(reading=_READINGS[0], round=n))[0] for n in range(options.changes)]
        print(told("a change of what becomes of rows", changed))
        kinds = [
            SPEC.format(reading="\n".join(_READINGS[: n % 3 + 1]), round=n) for n in range(options.changes)
        ]
        print(told("a change of how columns are read, in turn", [page.tried(one)[0] for one in kinds]))
        anew = [
            SPEC.format(reading=f'keep = ["c{n}"]\n{_READINGS[0]}', round=n) for n in range(options.changes)
        ]
        print(told("a spec that is wrong", [page.tried(one)[0] for one in anew]))
        server, *apart = (f"{size:.0f} MB" for size in page.memory())
        print(f"memory of the server {server}, of what tries {apart}; ended after {page.end():.2f} s")


if __name__ == "__main__":
    sys.exit(main())
