"""Nights over an export that grows and changes, and what PostHog must hold of it in the end, told beforehand."""

import importlib
import json
import shutil
from collections import Counter, defaultdict
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import perf_counter
from unittest.mock import patch

import forked
import sealing
from commands import KEY, migrate, summary

ENV = {"POSTHOG_API_KEY": KEY}
VERSIONED = """
import importlib
from dataclasses import replace
owner = importlib.import_module("mappings.{platform}")
owner.MAPPING = replace(owner.MAPPING, **{versions})
"""
"""What makes a process one of other versions of a mapping."""
KILL = "import signal; os.kill(os.getpid(), signal.SIGKILL)"
CRASHES = (
    "workdir.checkpoint.Checkpoint.note_planned",  # the first files are planned and not noted
    "plan.again.settle",  # all are planned, what was planned anew is not settled
    "workdir.rounds.settle",  # the first events are sent and not noted
)
CODES = {
    "usual": 0,
    "missing": 0,
    "empty": 0,
    "repeated": 0,
    "rewritten": 0,
    "changed": 0,
    "bad row": 3,
    "bad file": 5,
    "quota": 4,
    "window": 6,
    "killed": -9,
    "payload version": 0,
    "identity version": 5,
}
"""Each kind of night, with the exit code of its command."""


class Quarter:
    """An export's nights in a workdir, and what is expected of PostHog after each."""

    def __init__(self, export, folder, sandbox):
        self.export, self.folder, self.sandbox = export, folder, sandbox
        self.workdir = folder / f"{export.platform}.workdir"
        self.versions, self.more = {}, []
        self.number = 0
        self.codes = Counter()
        self.seconds = []
        """What each command took."""
        self.raw = []
        """All that PostHog was sent, in order."""
        self.who = defaultdict(set)
        """Fact → whose it may be: as it was known when it was planned, or planned anew before it was sent."""
        self.sent = set()
        self.alone = set()
        """Ids with events of their own."""
        self.merges = {}
        """Device → whose it became."""
        self.lost = set()
        """Facts that the road of a changed identity version leaves out."""
        self.since = None

    def night(self, kind="usual"):
        """Write a night's files and run it; a killed or refused one goes on at once."""
        export, number = self.export, self.number
        self.number += 1
        (export.miss if kind == "missing" else export.night)(number)
        also = {
            "empty": lambda: export.empty(number),
            "repeated": export.repeat,
            "rewritten": export.rewrite,
            "changed": lambda: export.change(self.sent),
            "killed": lambda: export.change(self.sent),
            "bad row": export.bad,
            "bad file": lambda: export.torn.write_bytes(b"\x1f\x8b torn"),
            "quota": lambda: self.sandbox.faults([{"fault": "quota_limited"}]),
            "payload version": lambda: self.versions.update(payload_version=99),
            "identity version": lambda: self.versions.update(identity_version=98),
        }
        if kind in also:
            also[kind]()
        done = self.run(*(_closed() if kind == "window" else ()), kind=kind, code=CODES[kind])
        export.torn.unlink(missing_ok=True)
        self.sandbox.faults([])
        if kind == "identity version":
            self.take_road()
        if kind in {"killed", "identity version"}:
            is_again = kind == "identity version" and export.has_bad
            done = self.run(kind=kind, code=3 if is_again else 0)
        return summary(done)

    def run(self, *more, kind, code):
        """Run the command once, which ends with this code; what it sent is in order."""
        words = ["run", *self.export.words(), "--workdir", self.workdir, "--host", self.sandbox.url, "--json"]
        words += [*self.more, *more]
        began = perf_counter()
        done = self._killed(words) if code == -9 else self._here(words)
        self.seconds.append(perf_counter() - began)
        assert done.returncode == code, (self.number, kind, done.stderr)
        self.codes[code] += 1
        if code != -9:
            assert summary(done)["balanced"]
        if code not in {-9, 5} or kind == "bad file":
            self._know()
        self._look()
        if code in {0, 3} or kind == "bad file":
            self.check()
        return done

    def _here(self, words):
        """The command in this process, under the versions of now."""
        owner = importlib.import_module(f"mappings.{self.export.platform}")
        with ExitStack() as stack:
            found = replace(owner.MAPPING, **self.versions)
            stack.enter_context(patch.object(owner, "MAPPING", found))
            return migrate(*words, env=ENV)

    def _killed(self, words):
        """The command as a process of its own, killed on its way."""
        owner, _, name = CRASHES[self.number % len(CRASHES)].rpartition(".")
        text = VERSIONED.format(platform=self.export.platform, versions=self.versions)
        text += sealing.KILLED.format(owner=owner, name=name, after=0, how=KILL)
        return forked.python(text, *words, env=ENV)

    def take_road(self):
        """Go on in a new workdir, as the message says: with the people, from the day after the last that was sent."""
        old, self.workdir = self.workdir, self.workdir.with_suffix(".new")
        self.workdir.mkdir()
        shutil.copy(old / "people.sqlite", self.workdir)
        self.since = max(one["timestamp"] for one in self.raw if "n" in one["properties"])[:10]
        self.since = str(datetime.fromisoformat(self.since).date() + timedelta(days=1))
        self.more = ["--since", self.since]

    def _know(self):
        """Note whose each fact is by now, and which merges are due."""
        export = self.export
        for number, fact in export.shown.items():
            if number in self.sent or number in self.lost:
                continue
            if self.since and fact.time.strftime("%Y-%m-%d") < self.since:
                self.lost.add(number)
            else:
                self.who[number].add(export.who(fact))
            self.alone.add(export.who(fact))
        for device, user in export.owners().items():
            if export.merged == "all" or (export.merged == "with events" and device in self.alone):
                self.merges.setdefault(device, user)

    def _look(self):
        """Look at what PostHog was sent by the last command: days oldest first, each person's events in time."""
        before = {one["uuid"] for one in self.raw}
        new = self.sandbox.events("raw")[len(self.raw) :]
        self.raw += new
        fresh = [one for one in new if one["uuid"] not in before]
        days = [one["timestamp"][:10] for one in fresh]
        assert days == sorted(days)
        latest, begun = {}, set()
        for one in fresh:
            if one["event"] == "$identify":
                assert one["timestamp"][:10] not in begun, "a merge behind events of its day"
                continue
            begun.add(one["timestamp"][:10])
            assert latest.get(one["distinct_id"], "") <= one["timestamp"], "events that overtook each other"
            latest[one["distinct_id"]] = one["timestamp"]

    def check(self):
        """Hold what PostHog keeps against what ever was in the export."""
        kept = {}
        collapsed = self.sandbox.events("collapsed")
        for one in collapsed:
            if "n" in one["properties"]:
                number = int(one["properties"]["n"])
                assert number not in kept, ("twice", one, kept[number])
                kept[number] = one
        shown = self.export.shown
        assert kept.keys() == shown.keys() - self.lost
        for number, one in kept.items():
            fact = shown[number]
            time = fact.time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            assert (one["event"], one["timestamp"]) == (fact.name, time)
            assert one["distinct_id"] in self.who[number], (one, fact, self.who[number])
            assert self.export.value_of(one["properties"]) == fact.value
        self.sent |= kept.keys()
        found = Counter(
            (one["properties"]["$anon_distinct_id"], one["distinct_id"])
            for one in collapsed
            if one["event"] == "$identify"
        )
        assert found == Counter(self.merges.items()), (
            found - Counter(self.merges.items()),
            Counter(self.merges.items()) - found,
        )
        told = [
            json.dumps([one["distinct_id"], one["properties"]["$set"]])
            for one in collapsed
            if one["event"] == "$set"
        ]
        assert max(Counter(told).values(), default=1) == 1, "told twice"
        if self.export.tells:
            assert self._plans() == self._plans_in_export()

    def _plans(self):
        """What PostHog knows of each person's plan: what it was told last."""
        told = ((one["distinct_id"], one["properties"].get("$set", {})) for one in self.raw)
        return {who: bag["plan"] for who, bag in told if "plan" in bag}

    def _plans_in_export(self):
        """What the export says of it last."""
        facts = sorted(self.export.shown.values(), key=lambda one: one.time)
        return {fact.user: fact.plan for fact in facts if fact.user and fact.number not in self.lost}

    @property
    def again(self):
        """How many events were sent more than once."""
        return len(self.raw) - len({(one["uuid"], one["event"], one["distinct_id"]) for one in self.raw})


def _closed():
    """A window that is not open now."""
    now = datetime.now(UTC).astimezone()
    return ["--window", "-".join((now + timedelta(hours=hours)).strftime("%H:%M") for hours in (2, 3))]
