"""Workdirs with rejected rows, for tests."""

import json

from workdirs import here

GOOD, BAD = "2024-04-03T12:00:00Z", "soon"


def written(path, times, *, name="e"):
    """A file of events of PostHog's shape, one for each time."""
    rows = [
        {"event": name, "distinct_id": "u", "timestamp": time, "properties": {"n": n}}
        for n, time in enumerate(times, 1)
    ]
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


class Workdir:
    """A workdir with two files of events of which some are rejected: rows 2 and 4 of the first, row 1 of the second."""

    def __init__(self, folder):
        self.folder, self.path, self.source = folder, folder / "w", folder / "in"
        self.first = written(self.source / "a.jsonl", [GOOD, BAD, GOOD, BAD])
        self.second = written(self.source / "b.jsonl", [BAD, GOOD], name="f")
        self.done = self.plan(self.source)

    def plan(self, *words):
        """Plan into it."""
        return here("plan", "posthog", *words, "--workdir", self.path, "--json")

    @property
    def file(self):
        """The file for people."""
        return self.path / "rejects.jsonl"

    def lines(self):
        """What the file for people tells of: file, row, reason."""
        found = [json.loads(line) for line in self.file.read_text().splitlines()]
        return sorted((line["file"].rpartition("/")[2], line["row"], line["reason"]) for line in found)

    def copy(self, *changes, name="mended.jsonl"):
        """A copy of the file in which texts are replaced."""
        path = self.folder / name
        text = self.file.read_text()
        for old, new in changes:
            text = text.replace(old, new)
        path.write_text(text)
        return path

    def status(self):
        """How many are open, by reason, and what `status` exits with."""
        done = here("status", self.path, "--json")
        return done.summary["open_rejects"], done.returncode


ALL = [("a.jsonl", 2, "bad_timestamp"), ("a.jsonl", 4, "bad_timestamp"), ("b.jsonl", 1, "bad_timestamp")]
