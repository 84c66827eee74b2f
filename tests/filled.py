"""A planned workdir of any size for tests of its page, made without an event, with five things planted in it."""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from migrate.workdir import daynames, looks, sendings, verified
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.looks import Look, Property
from migrate.workdir.records import Numbers, Part, Settled
from migrate.workdir.rejects import FOLDER, KeptLines, note
from migrate.workdir.seals import Seal

HOLES = ["2023-02-07", "2023-02-08", "2023-02-09"]
"""From a Tuesday to a Thursday."""
VANISHED, GONE = "Trial Started", "2023-03-14"
FUTURE, LATE = "2031-01-01", 3
"""The day of an event of the future, and how many there are."""
LARGE = 900
REASON, REJECTED = "no_distinct_id", 1_234
LOST = "plan_name"
NOW = "2024-02-01T03:00:00+00:00"
"""When the workdir was last worked in."""
_MICRO = 1_000_000
_ODD = (
    "<script>alert(1)</script>",
    "\u202eevil\u202c שלום עולם",
    "\x1b[31mred\x07\r\n\tx",
    "half \ufffd of it",
    "</style></title><b>&amp;\"'",
    "名前" * 40,
    "a\u0301" * 40,
)


@dataclass(frozen=True)
class Shape:
    """How much there is in a workdir."""

    first: date = date(2022, 3, 1)
    days: int = 700
    names: int = 12
    events: int = 250_000
    properties: int = 8
    planted: bool = True
    odd: bool = False
    """Whether names are what nobody expects."""
    sent: bool = True


def name(place, shape):
    """An event name, or the name of a property; more than 200 letters are no event's."""
    if not shape.odd:
        return f"Event {place:04d}"
    return f"{place} {_ODD[place % len(_ODD)]}{'x' * place}"[:200]


def counts(shape):
    """Planned events of each day by name; weekends have a fifth, and no day is quite like another."""
    weights = [1 / (place + 1) for place in range(shape.names)]
    a_day = shape.events / shape.days / sum(weights)
    for number in range(shape.days):
        day = shape.first + timedelta(days=number)
        text = day.isoformat()
        if shape.planted and text in HOLES:
            continue
        busy = (0.2 if day.weekday() > 4 else 1) * (0.9 + 0.2 * (number * 7919 % 100) / 100)
        found = {name(n, shape): max(1, round(a_day * weight * busy)) for n, weight in enumerate(weights)}
        if shape.planted and text <= GONE:
            found[VANISHED] = 40 + number % 7
        yield text, found
    if shape.planted:
        yield FUTURE, {name(0, shape): LATE}


def made(workdir, shape=None):
    """Return the open checkpoint of a workdir as a plan, and a part of the sending, would have left it."""
    shape = shape or Shape()
    workdir.mkdir(parents=True, exist_ok=True)
    checkpoint = Checkpoint.open(workdir, create=True)
    checkpoint.register(["exports/a.jsonl.gz"])
    this = checkpoint.inputs()["exports/a.jsonl.gz"]._replace(size=4_000_000, digest="ab" * 32)
    names, look, parts = Counter(), Look(), []
    for day, found in counts(shape):
        events = sum(found.values())
        names.update(found)
        look.rows[day] = events + 3
        look.sampled[day[:7]] += max(1, events // looks.ONE_IN)
        begins = int(datetime.fromisoformat(f"{day}T00:00:00+00:00").timestamp()) * _MICRO
        seal = Seal(10, b"")
        part = (
            f"days/{day}/00000001-000000.parquet",
            1,
            day,
            events,
            500 * events,
            begins,
            begins + 1,
            False,
        )
        (workdir / part[0]).parent.mkdir(parents=True)
        (workdir / part[0]).write_bytes(bytes(10))
        parts.append(Part(*part, seal, names=daynames.packed(found)))
    for place in range(shape.properties):
        own = LOST if shape.planted and place == 1 else name(place, shape)
        one = look.properties[own] = Property(
            types=Counter(text=30), examples=['"one"', '"anna@example.com"']
        )
        for month, sampled in look.sampled.items():
            is_gone = own == LOST and month > "2023-06"
            one.filled[month] = 0 if is_gone else sampled * (shape.properties - place) // shape.properties
    read, rejected = names.total() + REJECTED, {REASON: REJECTED} if shape.planted else {}
    read = read if shape.planted else names.total()
    numbers = Numbers(
        read=read,
        mapped=names.total(),
        rejected=Counter(rejected),
        repairs=Counter({"big_integer": 21}),
        warnings=Counter({"before_1970": 2}),
        names=names,
        group_types={"company"},
        dropped=Counter({"$schema": 1}),
        wanted={REASON: {"events": ["user_id", "device_id"]}} if shape.planted else {},
    )
    lines = _rejects(workdir, this.name) if shape.planted else None

    def also(db):
        looks.note(db, this.id, look)
        note(db, this.id, lines)

    sizes = [LARGE, 7, 3, 2] if shape.planted else [3, 2]
    largest = [
        {"size": size, "ids": [f"anna{n}@example.com" for n in range(min(size, 10))]} for size in sizes
    ]
    identity = {
        "people": 5_000,
        "links": 3_100,
        "merges": 3_000,
        "resolved": 0,
        "clusters": {"2": 2_990, "3": 5},
        "largest": largest,
        "conflicts": 1,
        "conflicting": largest[1:2],
        "anonymous": 2,
        "refused": {"junk_distinct_id": 4},
    }
    facts = {"platform": "amplitude", "import_id": "amplitude-demo", "planning": False, "begun_with": "0.1.0"}
    facts |= {"identity": identity, "--source-timezone": "Europe/Berlin", "identity_version": 2}
    facts |= {"payload_versions": [2], "target": "https://eu.i.posthog.com", "linked": True, "clock": None}
    checkpoint.note_planned(this, numbers, parts, also=also, **facts)
    _nights(checkpoint)
    if shape.sent:
        _sent(checkpoint, parts)
    return checkpoint


def _rejects(workdir, source):
    """Lines of rejected rows, as planning leaves them."""
    (workdir / FOLDER).mkdir()
    path = workdir / FOLDER / "00000001.jsonl"
    row = {"user_id": "", "email": "anna@example.com", "event": "<img src=x onerror=alert(1)>", "n": 1}
    with path.open("w") as file:
        for number in range(1, REJECTED + 1):
            line = {"file": source, "row": number, "reason": REASON, "value": None, "source": row}
            file.write(json.dumps(line) + "\n")
    return KeptLines(path, Seal.of(path))


def _sent(checkpoint, parts):
    """The first half is sent, in a night with waits and a few refusals, and PostHog was asked for it."""
    half = parts[: len(parts) // 2]
    with checkpoint.change() as db:
        db.executemany(
            "INSERT INTO rounds (day, round, accepted, duplicate, done, ended, duplicates)"
            " VALUES (?, 1, ?, 1, 1, ?, ?)",
            (
                (part.day, part.events - 1, NOW, daynames.packed({min(daynames.unpacked(part.names)): 1}))
                for part in half
            ),
        )
        db.executemany("UPDATE parts SET round = 1 WHERE path = ?", ((part.path,) for part in half))
        begins = int(datetime.fromisoformat(NOW).timestamp()) - 7_200
        for minute in range(90):
            heard = sendings.Heard()
            heard.requests, heard.bytes = 60, 60 * 90_000
            heard.answers = Counter({"200": 58, "503": 2 * (minute % 9 == 4), "429": minute % 20 == 7})
            heard.waited = {"rate": 20.0 + minute % 5, "retry": 9.0 * (minute % 9 == 4)}
            at = begins + 60 * minute + 3_600 * (minute > 60)
            sendings.add(db, {at: heard}, Settled(accepted=55_000 + 500 * (minute % 13)), at)
    checkpoint.note(requests=5_400, retries=200, bytes_sent=486_000_000, seconds=5_400.0)
    there = {part.day: part.events - 1 for part in half}
    short = half[len(half) // 2].day
    there[short] -= 12
    finding = {
        "cause": "missing",
        "events": 12,
        "why": "acknowledged, and not there",
        "passes": False,
        "days": [short],
        "names": {"Event 0001": 12},
        "examples": [],
    }
    sentence = "PostHog has not what it acknowledged: 12 missing"
    verified.keep(checkpoint, NOW, there, findings=[finding], sentence=sentence, is_whole=True)


def _nights(checkpoint):
    """What two commands did."""
    with checkpoint.change() as db:
        for command, begun in (("plan", "2024-01-31T01:00:00+00:00"), ("apply", "2024-02-01T00:59:00+00:00")):
            line = {"begun": begun, "command": command, "ended": NOW, "exit_code": 0}
            numbers = dict.fromkeys(("planned", "accepted", "duplicate", "parked", "rejected", "held"), 5)
            line |= {
                "before": numbers | {"set_aside": 0, "files": 1},
                "after": numbers | {"set_aside": 0, "files": 2},
            }
            db.execute("INSERT INTO history (line) VALUES (?)", (json.dumps(line),))
