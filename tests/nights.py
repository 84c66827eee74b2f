"""Files of events for one night after the other, and the nights."""

import json

from commands import KEY, migrate, summary


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


DAYS = ["2024-04-03", "2024-04-04", "2024-04-05"]


def row(number, told=0, *, name="e", who="u", day=0):
    """A row with an id of its own."""
    return {
        "event": name,
        "distinct_id": who,
        "uuid": f"0190d1a0-0000-7000-8000-{number:012}",
        "timestamp": f"{DAYS[day]}T12:00:00Z",
        "properties": {"v": told},
    }


class Nights:
    """A folder of exports, and the command of every night."""

    def __init__(self, folder, sandbox):
        self.folder, self.sandbox = folder, sandbox
        self.source = folder / "in"
        self.source.mkdir()

    def write(self, name, rows):
        """Write a file as an export does: anew."""
        (self.source / name).write_text("".join(json.dumps(one) + "\n" for one in rows))

    def run(self, *more, command="run", code=0):
        """Run a night; its summary."""
        target = ["--host", self.sandbox.url] if command == "run" else []
        words = [command, "posthog", self.source, "--workdir", self.folder / "w", *target, *more, "--json"]
        done = migrate(*words, env={"POSTHOG_API_KEY": KEY})
        assert code is None or done.returncode == code, done.stderr
        found = summary(done)
        assert found["balanced"]
        return found

    def kept(self):
        """What PostHog keeps: (uuid, event, whose, day) → the value."""
        return {
            (one["uuid"], one["event"], one["distinct_id"], one["timestamp"][:10]): one["properties"]["v"]
            for one in self.sandbox.events("collapsed")
        }
