"""Post bodies the sink has kept, in a bare loop: as fast as this machine, aiohttp and the sink allow."""

import argparse
import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp
from isal import igzip


def bodies(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield how many events a body has, and the body, from a file as `sink.py --keep` writes it."""
    with path.open("rb") as file:
        while length := file.read(8):
            events = int.from_bytes(file.read(8))
            yield events, file.read(int.from_bytes(length))


async def posted(url: str, batches: list[tuple[int, bytes]], *, concurrency: int, gzip: bool) -> float:
    """Post the bodies, compressed before if `gzip`, and return the seconds it took."""
    waiting = iter(batches)

    async def post(session: aiohttp.ClientSession) -> None:
        for _, body in waiting:
            headers = {"Content-Type": "application/json"}
            data = body
            if gzip:
                data = await asyncio.to_thread(igzip.compress, body, 1)
                headers["Content-Encoding"] = "gzip"
            async with session.post(f"{url}/batch/", data=data, headers=headers) as answer:
                await answer.read()

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=concurrency)) as session:
        began = time.perf_counter()
        await asyncio.gather(*(post(session) for _ in range(concurrency)))
        return time.perf_counter() - began


def main() -> None:
    """Print events per second as JSON: compressed in the loop, and compressed beforehand."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", help="where the sink is")
    parser.add_argument("bodies", type=Path, help="what sink.py --keep has kept")
    parser.add_argument("--concurrency", type=int, default=8)
    parser.add_argument("--no-gzip", action="store_true", help="as they are")
    choices = parser.parse_args()
    batches = list(bodies(choices.bodies))
    events = sum(count for count, _ in batches)
    loop = {"concurrency": choices.concurrency}
    seconds = asyncio.run(posted(choices.url, batches, gzip=not choices.no_gzip, **loop))
    rates = {"events": events, "bodies": len(batches), "limit": events / seconds}
    if not choices.no_gzip:
        batches = [(count, igzip.compress(body, 1)) for count, body in batches]
        rates["precompressed"] = events / asyncio.run(posted(choices.url, batches, gzip=False, **loop))
    print(json.dumps(rates))


if __name__ == "__main__":
    main()
