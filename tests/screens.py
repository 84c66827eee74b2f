"""What the command line shows, for tests: stories on small inputs, and the golden of each of their screens.

The goldens are `tests/golden/screens/*.txt`: the command, what it says, and its exit code. To renew them after a
change, `python tests/screens.py`, then read the difference and keep it. The inputs are made so that no two numbers of
a screen are equal, as far as a few rows allow: who reads a golden sees which number is which.
"""

import gzip
import io
import json
import os
import pty
import re
import shlex
import sys
import tempfile
import tty
from contextlib import ExitStack, chdir, contextmanager, redirect_stderr, redirect_stdout, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Thread
from unittest.mock import patch

from captures import Capture
from commands import undisturbed

from migrate.cli.main import main
from migrate.sandbox.server import Sandbox

GOLDENS = Path(__file__).parent / "golden" / "screens"
KEY = "phc_0123456789abcdefghijWXYZ"
TODAY = datetime.now(UTC).date()
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def scrubbed(text, folder, *, is_of_today):
    """A screen without what is another on each run: folders, ports, ids of imports, durations, perhaps days."""
    text = text.replace(str(folder), "<here>")
    text = re.sub(r"http://127\.0\.0\.1:\d+", "<host>", text)
    text = re.sub(r'"\$import_job_id":"[^"]*"', '"$import_job_id":"<import>"', text)
    text = re.sub(r"\b\d+\.\d+ s\b", "<seconds> s", text)
    text = re.sub(r"\bon \d{4}-\d\d-\d\d \d\d:\d\d UTC", "on <when> UTC", text)
    if is_of_today:
        text = _DATE.sub(lambda found: f"<today{(date.fromisoformat(found[0]) - TODAY).days:+d}>", text)
    return text


class Story:
    """Commands one after another in a folder of their own, and the screens they show."""

    def __init__(self, folder, *, is_of_today=False):
        self.folder = folder.resolve()
        self.is_of_today = is_of_today
        self.screens = {}

    def write(self, name, rows):
        """Write a file of one JSON object a line; a text stands for itself."""
        path = self.folder / name
        path.parent.mkdir(exist_ok=True, parents=True)
        lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
        path.write_text("".join(f"{line}\n" for line in lines))

    def run(self, name, command, *more, answer=None):
        """Run a command, and keep its screen under this name, if it has one; `answer` is typed on its terminal."""
        words = [*shlex.split(command), *more]
        asked, told, said, code = shown(self.folder, words, answer)
        text = f"$ migrate {shlex.join(words)}\n"
        for title, part in (("terminal", asked), ("stdout", told), ("stderr", said)):
            text += f"--- {title}\n{part}" if part else ""
        text = scrubbed(f"{text}--- exit {code}\n", self.folder, is_of_today=self.is_of_today)
        if name is not None:
            self.screens[name] = text
        return code


def shown(folder, words, answer=None):
    """Run the command line in this process; what the terminal, stdout and stderr showed, and the exit code."""
    out, error = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    code = 0
    with ExitStack() as stack:
        for each in (undisturbed(), chdir(folder), redirect_stdout(out), redirect_stderr(error)):
            stack.enter_context(each)
        stack.enter_context(patch.object(sys, "argv", ["migrate", *words]))
        # Where a terminal breaks a line depends on the length of the folder's name, so that one here breaks none.
        columns = "110" if answer is None else "1000"
        stack.enter_context(patch.dict(os.environ, {"POSTHOG_API_KEY": KEY, "COLUMNS": columns}))
        for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
            os.environ.pop(name, None)
        screen = stack.enter_context(terminal(answer))
        try:
            main()
        except SystemExit as leave:
            code = leave.code
        asked = screen()
    return asked, *(one.buffer.getvalue().decode() for one in (out, error)), code


@contextmanager
def terminal(answer):
    """Give the command a terminal of which it has only stdin, on which this is typed, or none; yield what it shows."""
    if answer is None:
        with Path(os.devnull).open(encoding="utf-8") as nothing, patch.object(sys, "stdin", nothing):
            yield lambda: ""
        return
    master, slave = pty.openpty()
    tty.setraw(slave)
    shown = []
    thread = Thread(target=type_when_asked, args=(master, answer, shown))
    with os.fdopen(slave, encoding="utf-8") as stdin, patch.object(sys, "stdin", stdin):
        thread.start()
        try:
            yield lambda: b"".join(shown).decode() + "\n"
        finally:
            pass
    thread.join()
    os.close(master)


def type_when_asked(master, answer, shown):
    """Type the answer once the question is there; keep all that the terminal shows until nobody has it any more."""
    is_typed = False
    with suppress(OSError):  # the other side is closed
        while text := os.read(master, 65_536):
            shown.append(text)
            if not is_typed and b"[y/N]" in b"".join(shown):
                os.write(master, answer.encode())
                is_typed = True


def call(kind, number, user, anonymous, time, **more):
    """A row as Segment writes it."""
    ids = {name: one for name, one in (("userId", user), ("anonymousId", anonymous)) if one}
    return {"type": kind, "messageId": f"m{number}", "timestamp": time, "integrations": {}} | ids | more


def calls():
    """Rows of three days: people with several ids, two who share a phone, what is rejected, filtered and changed."""
    pairs = [(f"u{n}", f"a{n}") for n in range(6)]
    pairs += [(f"v{n}", f"b{n}-{device}") for n in range(2) for device in range(2)]
    pairs += [("w0", "shared-phone"), ("w1", "shared-phone"), ("w0", "c0"), ("w1", "c1")]
    for day, count, event in ((3, 31, "Ordered"), (4, 23, "Paid"), (5, 16, "Browsed")):
        for n in range(count):
            yield call(
                "track", f"{day}-{n}", *pairs[n % 14], f"2024-04-{day:02d}T10:{n:02d}:00Z", event=event
            )
    for n in range(5):
        yield call("identify", f"i{n}", f"u{n}", f"a{n}", "2024-04-04T21:00:00Z", traits={"n": n})
    for n in range(2):
        yield call("track", f"g{n}", "guest", f"a{n}", "2024-04-05T21:00:00Z", event="Browsed")
    for n in range(7):
        yield call("track", f"late{n}", "u1", None, "2024-04-06T21:00:00Z", event="Browsed")
    for n in range(8):
        yield call("track", f"t{n}", "u1", None, "soon", event="Paid")
    for n in range(3):
        yield call("track", f"n{n}", None, None, "2024-04-04T21:00:00Z", event="Paid")
    for n in range(4):
        yield call(
            "track", f"big{n}", "u1", None, "2024-04-05T22:00:00Z", event="Paid", properties={"n": 2**60}
        )
    yield '{"type": "track", '


def looked_at(folder):
    """A plan that is looked at: preview, dry run, plan, status and what is rejected, which is then dismissed."""
    story = Story(folder)
    rows, until = list(calls()), "--until 2024-04-06"
    story.write("in/a.jsonl", rows[:40])
    story.write("in/b.jsonl", rows[40:])
    story.run("preview", "preview segment in --limit 3")
    story.run("preview-pretty", "preview segment in --pretty --limit 3")
    story.run("preview-left-out", "preview segment in/b.jsonl --limit 1000")
    story.run("dry-run", f"run segment in --dry-run {until}")
    story.run("plan", f"plan segment in --workdir w {until}")
    story.run("show", "show w --samples 1")
    story.run("status-planned", "status w")
    story.run("rejects", "rejects w")
    story.run("rejects-dismissed", "rejects w --dismiss bad_timestamp")
    return story.screens


def sent(folder):
    """A plan that is sent to a sandbox that fails at first and refuses some events: parked, then sent again."""
    story = Story(folder)
    times = [f"2024-04-{1 + n % 3:02d}T10:{n:02d}:00Z" for n in range(11)]
    rows = [call("track", n, f"u{n % 4}", None, time, event="E") for n, time in enumerate(times)]
    poison = [dict(rows[n], messageId=f"p{n}", properties={"poison": True}) for n in (2, 5)]
    story.write("in/a.jsonl", [*rows, *poison, *rows[:4]])
    faults = [{"fault": "status", "status": 503, "times": 1, "retry_after": 0.01}, {"fault": "poison"}]
    with Sandbox(faults=faults) as sandbox:
        story.run(None, "plan segment in --workdir w")
        story.run("apply-parked", "apply w --host", sandbox.url)
        story.run("status-parked", "status w")
        story.run("rejects-parked", "rejects w")
        story.run("resend-refused", "resend w --host", sandbox.url)
        sandbox.faults([])
        story.run("resend", "resend w --host", sandbox.url)
        story.run("resend-nothing", "resend w --host", sandbox.url)
        story.run("status-sent", "status w")
        story.run("rejects-none", "rejects w")
    return story.screens


def tried(folder):
    """Runs to a sandbox of their own, with what arrived there: in a workdir that is named, and in one that goes.

    Then the first rows, to a PostHog: asked, sent, sent into a workdir that stays.
    """
    story = Story(folder)
    times = [f"2024-04-{1 + n % 3:02d}T10:{n:02d}:00Z" for n in range(9)]
    rows = [
        call("track", n, f"u{n % 5}", None, time, event="Paid" if n % 4 else "Ordered")
        for n, time in enumerate(times)
    ]
    story.write("in/a.jsonl", rows)
    story.run("run-sandbox", "run segment in --workdir w --host sandbox")
    story.run("run-quiet", "run segment in --workdir w --host sandbox --quiet")
    more = [call("identify", f"i{n}", f"u{n}", f"a{n}", times[n], traits={"n": n}) for n in range(3)]
    more += [call("group", "g", "u1", None, times[2], groupId="acme", traits={"size": 7})]
    bad = [call("track", f"t{n}", "u1", None, "soon", event="Paid") for n in range(2)]
    story.write("in/a.jsonl", [*more, *bad, *rows])
    story.run("trial-sandbox", "run segment in --host sandbox")
    story.run("trial-no-workdir", "plan segment in --limit 8")
    with Capture() as capture:
        story.run("trial-question", "run segment in --limit 8 --host", capture.url, answer="n\n")
        story.run("trial-sent", "run segment in --limit 8 --yes --host", capture.url)
        story.run("trial-kept", "run segment in --limit 8 --yes --workdir t --host", capture.url)
        assert {event["event"] for event in capture.events} == {"Paid", "Ordered"}
    story.run("trial-other-target", "run segment in --limit 8 --workdir t --host sandbox")
    assert sorted(path.name for path in story.folder.iterdir()) == ["in", "t", "w"]
    return story.screens


def young(folder):
    """Events of yesterday wait until they are old enough; those before them are sent."""
    story = Story(folder, is_of_today=True)
    ages = [9] * 5 + [8] * 2 + [1] * 3
    times = [f"{TODAY - timedelta(days=age)}T10:{n:02d}:00Z" for n, age in enumerate(ages)]
    story.write("in/a.jsonl", [call("track", n, "u", None, time, event="E") for n, time in enumerate(times)])
    story.run(None, "plan segment in --workdir w")
    with Sandbox() as sandbox:
        story.run("apply-held", "apply w --min-age 48h --host", sandbox.url)
    story.run("status-held", "status w")
    return story.screens


def asked(folder):
    """The question before the first event, with all that speaks against it."""
    story = Story(folder, is_of_today=True)
    ages = [2_600] * 2 + [1_900] * 3 + [800] * 4 + [400] * 5 + [20] * 6
    times = [f"{TODAY - timedelta(days=age)}T10:{n:02d}:00Z" for n, age in enumerate(ages)]
    rows = [call("track", n, f"u{n % 9}", f"a{n % 3}", time, event="E") for n, time in enumerate(times)]
    rows += [call("track", f"t{n}", "u", None, "soon", event="E") for n in range(7)]
    rows += [call("track", f"n{n}", None, None, times[0], event="E") for n in range(3)]
    rows += [call("identify", f"i{n}", f"u{n}", f"a{n}", times[-1], traits={"n": 2**60}) for n in range(8)]
    story.write("in/a.jsonl", rows)
    story.write("in/b.jsonl", rows[:1])
    story.run(None, "plan segment in --workdir w")
    story.write("in/b.jsonl", rows[:2])
    story.run(None, "plan segment in --workdir w --on-changed set-aside")
    with Capture() as capture:
        host = ["--host", capture.url, "--max-batch-events", "4"]
        story.run("question", "apply w", *host, answer="what?\nn\n")
        story.run("question-rate", "apply w --rate 3", *host, answer="n\n")
        assert capture.events == []
    return story.screens


def copy(story, name, count):
    """Write a copy of rejects.jsonl in which so many rows are mended."""
    lines = [json.loads(line) for line in (story.folder / "w/rejects.jsonl").read_text().splitlines()]
    for line in lines[:count]:
        line["source"]["timestamp"] = "2024-04-03T10:00:00Z"
    story.write(name, lines)


def mended(folder):
    """Rejected rows that are mended in a copy, all but one, which is mended later."""
    story = Story(folder)
    rows = [call("track", n, "u", None, "soon", event="E") for n in range(3)]
    story.write("in/a.jsonl", [call("track", 9, "u", None, "2024-04-03T10:00:00Z", event="E"), *rows])
    zone = "--source-timezone Europe/Berlin"
    story.run(None, f"plan segment in --workdir w {zone}")
    copy(story, "some.jsonl", 2)
    story.run("plan-mended", f"plan segment some.jsonl --workdir w {zone}")
    story.run("rejects-mended", "rejects w")
    copy(story, "all.jsonl", 1)
    story.run("plan-mended-all", f"plan segment all.jsonl --workdir w {zone}")
    story.run("rejects-mended-all", "rejects w")
    return story.screens


def stopped(folder):
    """Sending that stopped for want of quota, a plan that is harmed, and several workdirs at once."""
    story = Story(folder)
    rows = [call("track", n, "u", None, f"2024-04-0{3 + n}T10:00:00Z", event="E") for n in range(3)]
    story.write("in/a.jsonl", rows)
    with Sandbox(faults=[{"fault": "quota_limited", "after": 1}]) as sandbox:
        story.run("run-stopped", "run segment in --workdir a --concurrency 1 --host", sandbox.url)
    story.run(None, "plan segment in --workdir b")
    for path in (story.folder / "b/days/2024-04-04").iterdir():
        path.unlink()
    story.run("status-several", "status a b c")
    return story.screens


def odd(folder):
    """Workdirs in which little is planned: none, an empty one, one with a file cut off and another set aside."""
    story = Story(folder)
    story.run("status-nothing", "status w")
    story.write("empty/a.jsonl", [])
    story.run("plan-empty", "plan segment empty --workdir e")
    story.run("status-empty", "status e")
    row = call("track", 1, "u", None, "2024-04-03T10:00:00Z", event="E")
    story.write("in/a.jsonl", [row] * 2)
    (story.folder / "in/b.jsonl.gz").write_bytes(gzip.compress(json.dumps(row).encode(), mtime=0)[:40])
    story.run(None, "plan segment in --workdir w")
    story.write("in/a.jsonl", [row] * 3)
    story.run("plan-set-aside", "plan segment in --workdir w --on-changed set-aside")
    story.run("status-set-aside", "status w")
    story.run("rejects-set-aside", "rejects w")
    story.write("in/a.jsonl", [row | {"event": "F"}, row | {"messageId": 2}])
    story.run("plan-anew", "plan segment in --workdir w")
    return story.screens


def logged(folder):
    """What -v tells beside the rest, with a log among the inputs; and a PostHog that is not there, told quietly."""
    story = Story(folder)
    times = [f"2024-04-{3 + n // 3:02d}T10:{n:02d}:00Z" for n in range(5)]
    rows = [call("track", n, "u", None, time, event="Paid") for n, time in enumerate(times)]
    story.write("in/a.jsonl", [*rows, call("track", "bad", "u", None, "soon", event="Paid")])
    story.write("in/b.jsonl", [])
    faults = [{"fault": "status", "status": 503, "times": 1, "retry_after": 0.01}, {"fault": "poison"}]
    with Sandbox(faults=faults) as sandbox:
        words = ["--log-file", "in/migrate.log", "--host", sandbox.url]
        story.run("run-verbose", "run segment in --workdir w -v", *words)
    story.run(None, "plan segment in/a.jsonl --workdir v")
    nowhere = ["--host", "http://127.0.0.1:9", "--yes", "--max-attempts", "1"]
    story.run("apply-nowhere", "apply v --quiet", *nowhere)
    return story.screens


def inspected(folder):
    """What nobody has named yet: an export with rows that go wrong, a table of anyone, and a folder of all sorts."""
    story = Story(folder)
    rows = list(calls())
    for number, name in enumerate(("2024-04-03", "2024-04-04", "2024-04-05", "2024-04-06")):
        story.write(f"in/{name}.jsonl", rows[number::4])
    story.run("inspect-platform", "inspect in")
    lines = [
        f"e{n},u{n % 7},{n % 3}.0,0{1 + n % 9}.03.2024 10:{n:02d},{'buy' if n % 4 else 'view'},"
        for n in range(23)
    ]
    story.write(
        "shop.csv",
        [
            "event_id,customer,shop_id,ordered_at,action,note",
            *lines,
            lines[3],
            "e,NULL,1.0,soon,buy,",
            "x,u1",
        ],
    )
    story.run("inspect-table", "inspect shop.csv")
    story.write(
        "all/sessions/a.csv", ["event_id,user_id,time,library,device", "1,2,2024-03-01 10:00:00,web,Mac"]
    )
    story.write(
        "all/ui.csv", ["id,distinct_id,properties.$os,event,timestamp,person,elements_chain", "1,2,Mac,e,,,"]
    )
    story.write(
        "all/near.csv", ["uuid,user_id,device_id,event_time,event_properties", "1,2,3,2024-03-01 10:00:00,{}"]
    )
    story.write("all/page.json", ["<!doctype html><title>403</title>"])
    story.write("all/empty.json", [])
    story.run("inspect-all-sorts", "inspect all")
    return story.screens


STORIES = [looked_at, sent, tried, young, asked, mended, stopped, odd, logged, inspected]


def all_screens():
    """Every screen by its name."""
    for story in STORIES:
        with tempfile.TemporaryDirectory() as folder:
            yield from story(Path(folder)).items()


if __name__ == "__main__":
    screens = dict(all_screens())
    for old in GOLDENS.glob("*.txt"):
        old.unlink()
    for name, text in screens.items():
        (GOLDENS / f"{name}.txt").write_text(text, encoding="utf-8")
