"""Files of events for one night after the other."""

import json


def lines(path, *times, start=0):
    """A file of events of PostHog's shape, one for each time."""
    rows = [
        {
            "event": "e",
            "distinct_id": "u",
            "uuid": f"0190d1a0-0000-7000-8000-{start + n:012}",
            "timestamp": time,
        }
        for n, time in enumerate(times)
    ]
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


GOOD, BAD = "2024-04-03T12:00:00Z", "soon"
