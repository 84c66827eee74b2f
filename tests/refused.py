"""Workdirs with parked events, for tests."""

import json

from workdirs import applied, delivery, events, here, planned

from migrate.workdir import rounds
from migrate.workdir.records import Settled

POISON = [{"fault": "poison"}]
COUNT = 30


class Parked:
    """A workdir with 24 of 30 events parked, of three days and four people."""

    def __init__(self, folder, sandbox, count=COUNT):
        self.folder, self.sandbox = folder / "w", sandbox
        self.folder.mkdir(exist_ok=True)
        sandbox.faults(POISON)
        frame = events(count, days=3, people=4, poison=[n for n in range(count) if n % 5])
        with planned(self.folder, frame) as checkpoint:
            applied(checkpoint, delivery(sandbox.url, max_batch_events=10))
            self.settled = rounds.outcome(checkpoint)
            checkpoint.note(seen=checkpoint.counts())  # as a run that ended with 3
        assert self.settled == Settled(accepted=count // 5, parked=count * 4 // 5)

    @property
    def file(self):
        """The file for people."""
        return self.folder / "parked.jsonl"

    def lines(self):
        """What it tells of."""
        return [json.loads(line) for line in self.file.read_text().splitlines()]

    def send(self, *more, command="resend"):
        """Send, as it is told to."""
        words = [
            command,
            self.folder,
            "--host",
            self.sandbox.url,
            "--api-key",
            "phc_secret",
            "--yes",
            "--json",
        ]
        done = here(*words, *more)
        return done, done.summary["events"]["parked"] if done.stdout else None

    def arrived(self):
        """What is in PostHog of those that were parked, by their uuids."""
        uuids = {line["uuid"] for line in self.first}
        return {row["uuid"]: row for row in self.sandbox.events("raw") if row["uuid"] in uuids}


def mended(line, **changes):
    """A line with its payload mended: without the poison, and with these changes at its root."""
    payload = json.loads(line["payload"])
    payload["properties"].pop("poison", None)
    payload["properties"]["mended"] = True
    return line | {"payload": json.dumps(payload | changes)}


def text_of(lines):
    """Lines as a file has them."""
    return "".join(json.dumps(line) + "\n" for line in lines)
