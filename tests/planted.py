"""A made-up Amplitude export of two years in which five things are planted, for whoever looks at a report of it."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from random import Random

FIRST, LAST = datetime(2023, 1, 1, tzinfo=UTC), datetime(2024, 12, 31, tzinfo=UTC)
MISSING = ("2024-05-06", "2024-05-09")
"""The first and the last day of which there is nothing."""
VANISHED, UNTIL = "Trial Started", "2024-03-14"
"""An event, and the last day that has it."""
CROWD, IDS = "kiosk@example.com", 900
"""A person, and how many devices were seen with it."""
REASON, REJECTED = "bad_timestamp", 40
FUTURE, AHEAD = "timestamp_in_future", 3
STOPPED = "coupon"
"""A property that nothing has since March 2024."""
NAMES = ("Page Viewed", "Page Viewed", "Page Viewed", "Product Added", "Order Completed", VANISHED)


def rows():
    """The rows, in order of time."""
    dice, number, day = Random(21), 0, FIRST
    while day <= LAST:
        date = day.date().isoformat()
        if not MISSING[0] <= date <= MISSING[1]:
            for second in sorted(dice.randrange(86_400) for _ in range(8 if day.weekday() < 5 else 5)):
                name, who = dice.choice(NAMES), dice.randrange(300)
                if name == VANISHED and date > UNTIL:
                    name = "Page Viewed"
                number += 1
                yield _row(number, day + timedelta(seconds=second), name, f"user-{who}", f"device-{who}")
        day += timedelta(days=1)
    for n in range(IDS):
        then = FIRST + timedelta(hours=6 * n)
        yield _row(1_000_000 + 2 * n, then, "Page Viewed", None, f"kiosk-{n:03d}")
        yield _row(1_000_001 + 2 * n, then + timedelta(hours=1), "Page Viewed", CROWD, f"kiosk-{n:03d}")
    for n in range(REJECTED):
        row = _row(2_000_000 + n, FIRST, "Page Viewed", "user-1", "device-1")
        yield row | {"event_time": f"{n % 28 + 1}. Juli"}
    for n in range(AHEAD):
        yield _row(3_000_000 + n, datetime(2099, 1, n + 1, tzinfo=UTC), "Page Viewed", "user-2", "device-2")


def _row(number, time, name, user, device):
    properties = {"price": number % 97, "page": f"/p/{number % 13}"}
    if time.date().isoformat() < "2024-03-01":
        properties[STOPPED] = "SPRING"
    return {
        "$insert_id": f"planted-{number}",
        "event_time": time.strftime("%Y-%m-%d %H:%M:%S.000000"),
        "event_type": name,
        "user_id": user,
        "device_id": device,
        "event_properties": properties,
        "platform": "Web",
    }


def write(folder):
    """Write the export, a file a year, and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    years = {}
    for row in rows():
        years.setdefault(row["event_time"][:4] if row["event_time"][:4].isdigit() else "other", []).append(
            row
        )
    for year, found in years.items():
        text = "".join(f"{json.dumps(row)}\n" for row in found).encode()
        (folder / f"{year}.json.gz").write_bytes(gzip.compress(text, mtime=0))
    return folder
