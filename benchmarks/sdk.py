"""Send generated rows with the posthog Python SDK: what a script of one's own would do, and how fast that is.

The SDK is no dependency of the project: `pip install posthog` into the environment the benchmark runs in.
"""

import argparse
import csv
import json
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from isal import igzip
from posthog import Posthog

Row = dict[str, Any]


def rows(kind: str, folder: Path) -> Iterator[Row]:
    """Yield a format's rows as a script would read them."""
    if kind in ("parquet", "ga4"):
        for path in sorted(folder.glob("*.parquet")):
            for batch in pq.ParquetFile(path).iter_batches():
                yield from batch.to_pylist()
    elif kind == "csv":
        for path in sorted(folder.glob("*.csv")):
            with path.open(newline="") as file:
                yield from csv.DictReader(file)
    else:
        for path in sorted(path for path in folder.rglob("*.json*") if path.is_file()):
            with igzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
                yield from map(json.loads, lines)


def flat(row: Row) -> Row:
    """Return the event of a row of the flat table."""
    at = row.pop("timestamp")
    when = at if isinstance(at, datetime) else datetime.fromisoformat(at)
    event, person, own = row.pop("event"), row.pop("user_id"), row.pop("event_id")
    return {"event": event, "distinct_id": person, "timestamp": when, "uuid": own, "properties": row}


def captured(row: Row) -> Row:
    """Return the event of a line that is shaped as PostHog's capture takes it."""
    return row | {"timestamp": datetime.fromisoformat(row["timestamp"])}


def amplitude(row: Row) -> Row:
    """Return the event of an Amplitude line."""
    when = datetime.fromisoformat(row.pop("event_time")).replace(tzinfo=UTC)
    person, own = row.pop("user_id") or row["device_id"], row.pop("uuid")
    properties = row.pop("event_properties") | row
    return {
        "event": row["event_type"],
        "distinct_id": person,
        "timestamp": when,
        "uuid": own,
        "properties": properties,
    }


def mixpanel(row: Row) -> Row:
    """Return the event of a line of Mixpanel's raw export."""
    bag = row["properties"]
    when, own = datetime.fromtimestamp(bag.pop("time"), UTC), bag.pop("$insert_id")
    person = bag.pop("distinct_id")
    return {"event": row["event"], "distinct_id": person, "timestamp": when, "uuid": own, "properties": bag}


def ga4(row: Row) -> Row:
    """Return the event of a row of Google Analytics' export."""
    parameters = {
        each["key"]: next((v for v in each["value"].values() if v is not None), None)
        for each in row.pop("event_params")
    }
    when = datetime.fromtimestamp(row["event_timestamp"] / 1e6, UTC)
    own = uuid.uuid5(
        uuid.NAMESPACE_OID, f"{row['user_pseudo_id']}{row['event_timestamp']}{row['event_name']}"
    )
    properties = row | parameters
    return {
        "event": row["event_name"],
        "distinct_id": row["user_id"],
        "timestamp": when,
        "uuid": str(own),
        "properties": properties,
    }


EVENTS: dict[str, Callable[[Row], Row]] = {
    "parquet": flat,
    "csv": flat,
    "jsonl": captured,
    "mixpanel": mixpanel,
    "ga4": ga4,
    "amplitude": amplitude,
    "amplitude-compact": amplitude,
}


def main() -> None:
    """Send the rows and wait until they are sent."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", help="where the sink is")
    parser.add_argument("format", choices=EVENTS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=100_000, help="how many rows at the most")
    parser.add_argument("--no-gzip", action="store_true")
    choices = parser.parse_args()
    # A queue that is full drops events without a word, so it must hold them all.
    queue = {"max_queue_size": choices.rows + 1, "sync_mode": False}
    client = Posthog(
        "phc_bench", host=choices.url, gzip=not choices.no_gzip, historical_migration=True, **queue
    )
    event = EVENTS[choices.format]
    for row in islice(rows(choices.format, choices.folder), choices.rows):
        sent = event(row)
        client.capture(sent.pop("event"), **sent)
    client.flush()
    client.shutdown()


if __name__ == "__main__":
    main()
