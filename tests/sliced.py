"""A large file for every platform that is tried, and what is alike in two plans of it."""

import json
from datetime import UTC, datetime

import polars as pl
from samples import SAMPLES

CASES = {
    "ga4": "events_20240403.jsonl",
    "mixpanel": "export/2024-03-04.jsonl",
    "mparticle": "Birch_20240403101500_48213.jsonl",
    "segment": "warehouse/tracks.csv",
    "snowplow": "warehouse/events.csv",
}
ALIKE = ("payloads", "numbers", "rejects", "inputs", "aside", "warnings", "people")


def file_of(folder, platform):
    """A file of a platform's sample, rows that are rejected among the others."""
    path = SAMPLES / platform / CASES[platform]
    lines = path.read_bytes().splitlines(keepends=True)
    bad = b"oops\n" if path.suffix == ".csv" else b'{"oops": \n[]}\n'
    found = folder / path.name
    found.write_bytes(b"".join([*lines[:2], bad, *lines[2:-1], bad, lines[-1]]))
    return found


def compare(one, other):
    """Compare two plans."""
    assert one.payloads
    for name in ALIKE:
        assert getattr(one, name) == getattr(other, name), name
    assert seen(one.look) == seen(other.look)
    assert all(row in one.samples for row in other.samples)  # the first rows of the first slice


def seen(look):
    """What was seen, but for values that are looked at closely: of each chunk those of some events."""
    properties = {name: one.filled for name, one in look.properties.items()}
    return vars(look) | {"properties": properties}


def telling(folder, platform, count=2_000):
    """A large file of a platform in which the same ids are linked again and again, at earlier times, too."""
    folder.mkdir()
    seen = [
        (str(n), f"d-{n % 301}", None if n % 3 else f"u-{n % 97}", 1_711_900_000 + n * 7 % 28 * 86_400)
        for n in range(count)
    ]
    if platform == "segment":
        columns = pl.DataFrame(seen, ["id", "anonymous_id", "user_id", "timestamp"], orient="row")
        found = columns.with_columns(pl.from_epoch("timestamp"), event=pl.lit("product_viewed"))
        path = folder / "tracks.parquet"
        found.write_parquet(path, row_group_size=100, compression="uncompressed", statistics=False)
        return path
    path = folder / "a.jsonl"
    with path.open("w") as lines:
        for number, device, user, time in seen:
            ids = {
                "device_id": device,
                "user_id": user,
                "event_time": f"{datetime.fromtimestamp(time, UTC):%F %T}.5",
            }
            row = {"event_type": "e", "uuid": number} | ids
            if platform == "mixpanel":
                known = {"$user_id": user} if user else {}
                times = {"time": time, "mp_processing_time_ms": time * 1_000}
                own = {"$insert_id": number, "distinct_id": user or f"$device:{device}", "$device_id": device}
                row = {"event": "e", "properties": times | own | known}
            lines.write(json.dumps(row) + "\n")
    return path


def tear(path):
    """Harm a file in its middle."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 4_000] = bytes(4_000)
    path.write_bytes(data)
