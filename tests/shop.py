"""A made-up shop, and the exports that four platforms make of it night by night: late, rewritten, empty, repeated.

The same seed gives the same bytes. What a file holds is known beside it, as facts: `quarter.py` compares.
"""

import gzip
import json
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import ClassVar

import polars as pl

START = datetime(2024, 4, 1, tzinfo=UTC)
KIOSK = "kiosk"
STAY = 16
"""For so many days somebody is a customer; every second day another one comes."""


@dataclass(frozen=True)
class Fact:
    """Something that happened in the shop: on a device, perhaps by somebody who is known."""

    number: int
    day: int
    time: datetime
    name: str
    device: str
    user: str | None
    night: int
    """In which night's export it is first."""
    value: int = 0

    @property
    def plan(self):
        """What the person subscribes to at that time."""
        return f"plan {self.day // 5}"


def date(day, form="%Y-%m-%d"):
    """A day of the quarter as a file's name has it."""
    return (START + timedelta(days=day)).strftime(form)


def shop(seed, days, *, latest, events=24):
    """What happens on so many days; some of it is told late, by `latest` nights at most."""
    dice = Random(seed)
    number = 3
    for place, (user, night) in enumerate((("user-1", 5), ("user-0", 3))):  # who was there first is told last
        time = START + timedelta(days=3, hours=8 + place)
        yield Fact(number=place + 1, day=3, time=time, name="visit", device=KIOSK, user=user, night=night)
    yield Fact(
        number=3, day=2, time=START + timedelta(days=2), name="visit", device=KIOSK, user=None, night=2
    )
    for day in range(days):
        people = range(max(0, (day - STAY) // 2 + 1), day // 2 + 3)
        for second in sorted(dice.randrange(86_400_000) for _ in range(dice.randint(events // 2, events))):
            who = dice.choice(people)
            place = dice.choice(["0", "0", "1"])
            is_known = dice.random() < 0.5 and day >= 2 * who - 3 + 3 * int(place)
            device = KIOSK if day > 5 and dice.random() < 0.05 else f"device-{who}-{place}"
            late = dice.choice([1, 1, 2, 3, 7, 10]) if dice.random() < 0.15 else 0
            number += 1
            yield Fact(
                number=number,
                day=day,
                time=START + timedelta(days=day, milliseconds=second),
                name=dice.choice(["order", "visit"]),
                device=device,
                user=f"user-{who}" if is_known else None,
                night=day + min(late, latest),
            )


class Export:
    """A platform's files in a folder, and the facts that each holds."""

    platform: ClassVar[str]
    latest: ClassVar[int] = 10
    ending: ClassVar[str] = ".jsonl"
    tells: ClassVar[bool] = False
    """Whether it says of persons what is so last, apart from events."""
    merged: ClassVar[str] = "with events"
    """Which devices are, that somebody was seen on: "all", none, or those "with events" of their own."""

    def __init__(self, folder, days, seed=1, events=24):
        self.folder = folder
        self.coming = defaultdict(list)
        for fact in shop(f"{seed} {self.platform}", days, latest=self.latest, events=events):
            self.coming[fact.night].append(fact)
        self.dice = Random(f"{seed} {self.platform} files")
        self.files = {}
        """Name → the facts that it holds."""
        self.shown = {}
        """Number → the fact as it was shown first, of all that ever was in a file."""
        self.has_bad = False
        """Whether a row is rejected, of whatever workdir."""
        self.folder.mkdir()

    def words(self):
        """What the command line says of it."""
        return [self.platform, self.folder]

    def night(self, night):
        """Write what comes in a night."""
        for fact in self.coming.pop(night, ()):
            self.add(self.file_of(fact), fact)

    def miss(self, night):
        """Write nothing: what was to come comes on the next night."""
        self.coming[night + 1] = self.coming.pop(night, []) + self.coming[night + 1]

    def add(self, name, *facts):
        """Add facts to a file."""
        self.put(name, [*self.files.get(name, ()), *facts])

    def put(self, name, facts):
        """Write a file anew."""
        self.files[name] = facts
        self.shown = {fact.number: fact for fact in facts} | self.shown
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        self.write(path, facts)

    def write(self, path, facts):
        """Write rows as the platform does."""
        path.write_text("".join(json.dumps(self.row(fact)) + "\n" for fact in facts))

    def change(self, sent):
        """Write an earlier file anew in which a row that was `sent` says something else."""
        names = [name for name, facts in self.files.items() if any(fact.number in sent for fact in facts)]
        name = self.dice.choice(sorted(names))
        facts = [*self.files[name]]
        place = self.dice.choice([n for n, fact in enumerate(facts) if fact.number in sent])
        facts[place] = replace(facts[place], value=facts[place].value + 1)
        self.put(name, facts)

    def repeat(self):
        """Write what a file holds once more, into a file of another name."""
        name = self.dice.choice(sorted(name for name, facts in self.files.items() if facts))
        self.put(self.again(name), self.files[name])

    def rewrite(self):
        """Write a file anew that holds what it held."""
        name = self.dice.choice(sorted(self.files))
        (self.folder / name).unlink()
        self.put(name, self.files[name])

    def empty(self, night):
        """Write a file without rows."""
        self.put(self.again(self.file_of(Fact(0, night, START, "", KIOSK, None, night))), [])

    @property
    def torn(self):
        """A file that is none."""
        return self.folder / f"torn{self.ending.removesuffix('.gz')}.gz"

    def seen(self):
        """All facts that ever were in a file, and what else was known of them later."""
        return self.shown.values()

    def owners(self):
        """Device → who was seen there first, as far as is known by now."""
        facts = sorted(self.seen(), key=lambda one: one.time, reverse=True)
        return {fact.device: fact.user for fact in facts if fact.user}

    def who(self, fact):
        """Whose event it is, as far as is known by now."""
        return fact.user or fact.device

    def value_of(self, properties):
        """What an event says of the fact's value."""
        return properties["v"]

    def again(self, name):
        """The name of a second part of a file."""
        return name.replace(self.ending, f"-again{len(self.files)}{self.ending}")

    def bad(self):
        """Write a file with a row without a time."""
        self.has_bad = True
        name = self.file_of(Fact(0, 0, START, "visit", KIOSK, None, 0))
        self.write(self.folder / self.again(name), [Fact(0, 0, None, "visit", KIOSK, None, 0)])


class Amplitude(Export):
    """Whole hours by the time of the upload, exported again where more of one is known; gzip in a project's folder."""

    platform = "amplitude"
    tells = True
    ending = ".json.gz"

    def __init__(self, *given, **more):
        super().__init__(*given, **more)
        self.logins = {}
        """Device → the first who was known there, and since when."""
        for fact in sorted(
            (one for facts in self.coming.values() for one in facts), key=lambda one: one.time
        ):
            if fact.user and fact.device != KIOSK:
                self.logins.setdefault(fact.device, (fact.user, fact.time))

    def file_of(self, fact):
        """The hour in which it was uploaded; some of what is late is of the hour in which it happened."""
        day = fact.day if fact.number % 2 else fact.night
        return f"123456/123456_{date(day)}_{fact.number % 3 * 8 + 2}#0.json.gz"

    def again(self, name):
        """Another part of the hour."""
        return f"{name.partition('#')[0]}#{len(self.files) + 1}.json.gz"

    def known(self):
        """Amplitude's number → who was seen with it."""
        return {self.number_of(fact): fact.user for fact in self.shown.values() if fact.user}

    def who(self, fact):
        """Whose event it is: Amplitude's number says it once it was seen with somebody."""
        return fact.user or self.known().get(self.number_of(fact), fact.device)

    def owners(self):
        """Device → who was seen there first, or is by its number."""
        known = self.known()
        numbers = {
            fact.device: known.get(self.number_of(fact)) for fact in self.shown.values() if not fact.user
        }
        return {device: user for device, user in numbers.items() if user} | super().owners()

    def number_of(self, fact):
        """Amplitude's own number for the person."""
        user, since = self.logins.get(fact.device, (None, fact.time))
        known = fact.user or (user if fact.time and fact.time >= since else None)
        if known:
            return f"of {known}"
        return f"of {user}" if fact.device.endswith("-0") and user else f"of {fact.device}"

    def row(self, fact):
        """A row, but for the keys of which nothing is told."""
        return {
            "uuid": f"0c1d2e3f-0000-4000-8000-{fact.number:012}",
            "event_type": fact.name,
            "event_time": fact.time and fact.time.strftime("%Y-%m-%d %H:%M:%S.%f"),
            "user_id": fact.user,
            "device_id": fact.device,
            "amplitude_id": self.number_of(fact),
            "event_properties": {"n": fact.number, "v": fact.value},
            "user_properties": {"plan": fact.plan} if fact.user else {},
            "library": "amplitude-ts/2.1.0",
            "session_id": 1711929600000,
        }

    def write(self, path, facts):
        """Write rows as the platform does."""
        text = "".join(json.dumps(self.row(fact)) + "\n" for fact in facts)
        path.write_bytes(gzip.compress(text.encode(), mtime=0))


class Mixpanel(Export):
    """A file a day of events, to which late ones are added; and all profiles, every night."""

    platform = "mixpanel"
    tells = True

    def file_of(self, fact):
        """The day on which it happened."""
        return f"export/{date(fact.day)}.jsonl"

    def night(self, night):
        """Write what comes in a night, and every profile as it is by now."""
        super().night(night)
        plans = {}
        for fact in sorted(self.shown.values(), key=lambda one: one.time):
            if fact.user:
                plans[fact.user] = fact
        lines = [
            {"$distinct_id": user, "$properties": {"plan": fact.plan, "$last_seen": fact.time.isoformat()}}
            for user, fact in sorted(plans.items())
        ]
        (self.folder / "profiles.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))

    def row(self, fact):
        """An event with its properties."""
        ids = {"distinct_id": fact.user, "$user_id": fact.user, "$device_id": fact.device}
        if not fact.user:
            ids = {"distinct_id": f"$device:{fact.device}", "$device_id": fact.device}
        told = {"time": fact.time and int(fact.time.timestamp() * 1000), "$insert_id": f"i{fact.number}"}
        return {"event": fact.name, "properties": told | ids | {"n": fact.number, "v": fact.value}}


class Ga4(Export):
    """A day's intraday table, which the daily one replaces; that one is written anew for three days, in any order."""

    platform = "ga4"
    merged = "all"
    latest = 3

    def __init__(self, *given, **more):
        super().__init__(*given, **more)
        self.told = {fact.number: fact for facts in self.coming.values() for fact in facts}
        """Everything as the daily table tells it."""

    def file_of(self, fact):
        """The intraday table on the day itself, then the daily one."""
        kind = "intraday_" if fact.night == fact.day else ""
        return f"events_{kind}{date(fact.day, '%Y%m%d')}.jsonl"

    def night(self, night):
        """Write the tables of the last days."""
        super().night(night)
        for day in range(max(0, night - self.latest), night):
            daily, intraday = (f"events_{kind}{date(day, '%Y%m%d')}.jsonl" for kind in ("", "intraday_"))
            found = [
                *self.files.get(daily, ()),
                *(self.told[one.number] for one in self.files.pop(intraday, ())),
            ]
            facts = [*{fact.number: fact for fact in found}.values()]
            (self.folder / intraday).unlink(missing_ok=True)
            self.dice.shuffle(facts)
            self.put(daily, facts)

    def add(self, name, *facts):
        """Add facts to a file; of some it is known later who it was."""
        if "intraday" in name:
            facts = [replace(fact, user=None) if fact.number % 10 == 0 else fact for fact in facts]
        super().add(name, *facts)

    def seen(self):
        """All facts that ever were in a file, and who it was as the daily tables tell it."""
        return [self.latest_of(fact) for fact in self.shown.values()]

    def who(self, fact):
        """Whose event it is, as far as is known by now."""
        return super().who(self.latest_of(fact))

    def latest_of(self, fact):
        """A fact as it is told by now."""
        daily = self.file_of(replace(fact, night=fact.day + 1))
        return self.told[fact.number] if daily in self.files else fact

    def value_of(self, properties):
        """What an event says of the fact's value: parameters would make it another event."""
        return int(properties["$device_manufacturer"])

    def row(self, fact):
        """An event as BigQuery exports it."""
        micros = fact.time and int(fact.time.timestamp() * 1000) * 1000
        params = [{"key": "n", "value": {"int_value": str(fact.number)}}]
        plan = {"key": "plan", "value": {"string_value": fact.plan, "set_timestamp_micros": str(micros)}}
        return {
            "event_date": date(fact.day, "%Y%m%d"),
            "event_timestamp": micros and str(micros),
            "event_name": fact.name,
            "event_params": params,
            "event_bundle_sequence_id": str(fact.number),
            "user_pseudo_id": fact.device,
            **({"user_id": fact.user, "user_properties": [plan]} if fact.user else {}),
            "device": {"category": "mobile", "mobile_brand_name": str(fact.value)},
            "stream_id": "3206",
            "platform": "WEB",
        }


class Warehouse(Export):
    """Partitions by the day of loading; to the last one the next load adds."""

    platform = "table"
    merged = "none"
    ending = ".parquet"

    def __init__(self, folder, *given, **more):
        super().__init__(folder, *given, **more)
        self.spec = folder.with_suffix(".toml")
        self.spec.write_text(
            'event = "name"\ndistinct_id = ["user", "device"]\ntimestamp = "time"\ndedup_key = ["n"]\n'
            'drop = ["dt"]\n'
        )

    def words(self):
        """What the command line says of it."""
        return [*super().words(), "--spec", self.spec]

    def file_of(self, fact):
        """The partition of its load; a quarter of it is loaded by the next one, late."""
        return f"dt={date(fact.night - (fact.number % 4 == 0 and fact.night > fact.day))}/part-0.parquet"

    def row(self, fact):
        """A row."""
        return {
            "n": fact.number,
            "v": fact.value,
            "name": fact.name,
            "user": fact.user,
            "device": fact.device,
            "time": fact.time,
        }

    def write(self, path, facts):
        """Write rows as the platform does."""
        schema = {"n": pl.Int64, "v": pl.Int64, "name": pl.String, "user": pl.String, "device": pl.String}
        times = {"time": pl.Datetime("us", "UTC")}
        pl.DataFrame([self.row(fact) for fact in facts], schema | times, orient="row").write_parquet(path)


EXPORTS = (Amplitude, Mixpanel, Ga4, Warehouse)
