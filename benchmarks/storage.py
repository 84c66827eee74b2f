"""How fast objects are planned beside files: each format from the disk, and from S3 servers on this machine.

    python benchmarks/storage.py --rows 500000
    python benchmarks/storage.py --formats jsonl --runs 5 --listing 100000

`plain` serves files as S3 does, with ranges and listings and nothing else; moto is moto's server, which is no fast one.
Both take their share of the same cores. What is printed is the seconds of `plan` as a whole process, the median of some
runs in turn, and files beside objects: 1.00 is as fast. `--listing` lists so many objects, and says what each takes.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from measuring import MIGRATE, PLATFORMS, Data, Run, measured, size

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from between import many
from storage import client, s3_server

from migrate.stores.buckets import opened
from migrate.stores.objects import below
from migrate.stores.urls import parsed
from migrate.stores.writing import put

BUCKET: Final = "bench"
_STEP: Final = 1 << 20


def main() -> None:
    """Measure each format from everywhere, and print a line of each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--formats", nargs="*", default=["jsonl", "csv", "parquet"])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--listing", type=int, default=0, metavar="OBJECTS")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        _serve(given.serve)
        return
    os.environ.update(AWS_ACCESS_KEY_ID="bench", AWS_SECRET_ACCESS_KEY="bench", AWS_REGION="us-east-1")  # noqa: S106
    if given.listing:
        _list(given.listing)
    folder = Path(tempfile.mkdtemp(prefix="storage-"))
    try:
        heads = ("MB", "files", "plain", "moto", "plain beside", "moto beside", "files, MB", "plain, MB")
        print(f"{'':10}" + "".join(f"{head:>14}" for head in heads))
        for kind in given.formats:
            _measure(Data(format=kind, rows=given.rows), folder, given.runs)
    finally:
        shutil.rmtree(folder)


def _measure(data: Data, folder: Path, runs: int) -> None:
    """Print what planning one format takes from everywhere."""
    source = data.generated(folder)
    files = [path for path in sorted(source.iterdir()) if path.name.startswith("part-")]
    spec = ["--spec", source / "spec.toml"] if (source / "spec.toml").exists() else []
    with ExitStack() as stack:
        ways: dict[str, str | None] = {
            "files": None,
            "plain": stack.enter_context(_plain(source)),
            "moto": stack.enter_context(s3_server()),
        }
        client(ways["moto"]).create_bucket(Bucket=BUCKET)
        os.environ["AWS_ENDPOINT_URL"] = str(ways["moto"])
        opened.cache_clear()
        for path in files:
            put(parsed(f"s3://{BUCKET}/{path.name}"), iter(partial(path.open("rb").read, _STEP), b""))
        taken: dict[str, list[Run]] = {name: [] for name in ways}
        for _ in range(runs):
            for name, address in ways.items():
                os.environ["AWS_ENDPOINT_URL"] = address or ""
                inputs = f"{source}/part-*" if address is None else f"s3://{BUCKET}/part-*"
                words = ["plan", PLATFORMS[data.format], inputs, *spec, "--workdir", folder / "workdir"]
                taken[name].append(measured([MIGRATE, *words, "--quiet"]))
                shutil.rmtree(folder / "workdir")
    seconds = {name: median(run.seconds for run in runs) for name, runs in taken.items()}
    memory = {name: max(run.memory for run in runs) for name, runs in taken.items()}
    cells = [f"{size(source) / 1e6:,.0f}", *(f"{one:.1f} s" for one in seconds.values())]
    cells += [f"{seconds['files'] / seconds[name]:.2f}" for name in ("plain", "moto")]
    cells += [f"{memory[name]:,.0f}" for name in ("files", "plain")]
    print(f"{data.format:10}" + "".join(f"{cell:>14}" for cell in cells), flush=True)


def _list(count: int) -> None:
    """Print how long it takes to list so many objects, and how much of memory."""
    page = os.sysconf("SC_PAGE_SIZE")

    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * page

    with many(count) as address:
        os.environ["AWS_ENDPOINT_URL"] = address
        next(below(parsed(f"s3://{BUCKET}/in/")))
        before, began = resident(), time.perf_counter()
        found = sum(1 for _ in below(parsed(f"s3://{BUCKET}/in/")))
        seconds, passed = time.perf_counter() - began, resident() - before
        kept = list(below(parsed(f"s3://{BUCKET}/in/")))
        print(
            f"{found:,} objects listed in {seconds:.1f} s, {passed / 1e6:.0f} MB; held all at once "
            f"{(resident() - before) / 1e6:.0f} MB, {(resident() - before) / len(kept):,.0f} bytes each",
            flush=True,
        )


@contextmanager
def _plain(folder: Path) -> Iterator[str]:
    """Run a server of a folder's files, as a process of its own; give its address."""
    command = [sys.executable, __file__, "--serve", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout  # noqa: S101 - it was asked for
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def _serve(folder: Path) -> None:  # noqa: C901 - a server in one piece
    """Serve files as a bucket until the process is ended."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if "list-type" in (asked := parse_qs(parts.query)):
                self._list(asked.get("prefix", [""])[0])
                return
            path = folder / unquote(parts.path).rpartition("/")[2]
            if not path.is_file():
                self._answer(404, {"Content-Length": "0"})
                return
            whole = path.stat().st_size
            span = re.match(r"bytes=(\d+)-(\d+)", self.headers.get("Range", f"bytes=0-{whole - 1}"))
            start, end = (int(span[1]), min(int(span[2]) + 1, whole)) if span else (0, whole)
            headers = {"Content-Length": str(end - start), "ETag": f'"{path.name}"'}
            headers |= {"Last-Modified": "Wed, 03 Apr 2024 12:00:00 GMT"}
            if "Range" in self.headers:
                headers["Content-Range"] = f"bytes {start}-{end - 1}/{whole}"
            self._answer(206 if "Range" in self.headers else 200, headers)
            if self.command == "GET":
                with path.open("rb") as file:
                    self.wfile.flush()
                    while start < end:
                        start += os.sendfile(self.connection.fileno(), file.fileno(), start, end - start)

        do_HEAD = do_GET  # noqa: N815 - as the class calls it

        def _list(self, prefix: str) -> None:
            entries = "".join(
                f"<Contents><Key>{path.name}</Key><LastModified>2024-04-03T12:00:00.000Z</LastModified>"
                f"<ETag>{path.name}</ETag><Size>{path.stat().st_size}</Size></Contents>"
                for path in sorted(folder.iterdir())
                if path.name.startswith(prefix)
            )
            body = f"<ListBucketResult><Name>b</Name><IsTruncated>false</IsTruncated>{entries}</ListBucketResult>"
            self._answer(200, {"Content-Length": str(len(body)), "Content-Type": "application/xml"})
            self.wfile.write(body.encode())

        def _answer(self, status: int, headers: dict[str, str]) -> None:
            self.send_response_only(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
