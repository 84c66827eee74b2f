"""What has begun to leave stays: a row that changes while its day is being sent is not sent as another event."""

import signal

import pytest
from commands import KEY, migrate, started, summary
from nights import DAYS, Nights, row

from migrate.sandbox.server import Sandbox

MANY = 200
SMALL = ["--max-batch-events", "20", "--concurrency", "2"]


def rows(who, days=(0, 1)):
    """A night's rows: of one person, on some days."""
    return [row(1_000 * day + n, who=who, day=day) for day in days for n in range(MANY)]


def whose(sandbox):
    """Uuid -> the events that PostHog has under it."""
    found = {}
    for one in sandbox.events("raw"):
        found.setdefault(one["uuid"], set()).add((one["event"], one["distinct_id"], one["timestamp"][:10]))
    return found


@pytest.mark.parametrize(
    "fault", [{"fault": "status", "status": 503, "after": 3}, {"fault": "quota_limited", "after": 3}]
)
def test_a_night_that_stops_in_the_first_piece_of_a_day(tmp_path, fault):
    """Some of its events are PostHog's, nobody knows which: all of that day stay whose they were; later days do not."""
    with Sandbox(faults=[fault]) as sandbox:
        nights = Nights(tmp_path, sandbox)
        nights.write("a.jsonl", rows("u"))
        nights.run(*SMALL, "--deadline", "1s", code=4)
        begun = sandbox.events("raw")
        assert 0 < len(begun) < MANY
        nights.write("a.jsonl", rows("other"))
        sandbox.faults([])
        replanned = nights.run()["replanned"]
        assert (replanned["kept"], replanned["replaced"]) == (MANY, MANY)
        found = whose(sandbox)
        assert {len(one) for one in found.values()} == {1}
        assert {one for each in found.values() for one in each} == {
            ("e", "u", DAYS[0]),
            ("e", "other", DAYS[1]),
        }


@pytest.mark.crash
def test_a_night_that_is_killed_in_the_first_piece_of_a_day(tmp_path):
    """Nothing of it is noted but that it begins."""
    with Sandbox(faults=[{"fault": "latency", "seconds": 0.2}]) as sandbox:
        nights = Nights(tmp_path, sandbox)
        nights.write("a.jsonl", rows("u"))
        words = ["run", "posthog", nights.source, "--workdir", tmp_path / "w", "--host", sandbox.url, *SMALL]
        with started(*words, "--api-key", KEY) as process:
            while not sandbox.events("raw"):
                assert process.poll() is None
            process.send_signal(signal.SIGKILL)
            process.wait()
        status = summary(migrate("status", tmp_path / "w", "--json"))
        assert status["events"]["accepted"] == 0
        nights.write("a.jsonl", rows("other"))
        sandbox.faults([])
        nights.run()
        found = whose(sandbox)
        assert ({len(one) for one in found.values()}, len(found)) == ({1}, 2 * MANY)
        assert ("e", "u", DAYS[0]) in found[row(0)["uuid"]]


def test_what_never_left_is_sent_as_it_is_by_now(tmp_path):
    """Where nobody answers at all, nothing has begun to leave."""
    with Sandbox() as sandbox:
        nights, port = Nights(tmp_path, sandbox), int(sandbox.url.rpartition(":")[2])
    nights.write("a.jsonl", rows("u"))
    nights.run("--deadline", "1s", "--yes", code=4)
    nights.write("a.jsonl", rows("other"))
    with Sandbox(port=port) as nights.sandbox:
        assert nights.run()["replanned"]["replaced"] == 2 * MANY
        assert {who for one in whose(nights.sandbox).values() for _, who, _ in one} == {"other"}


@pytest.mark.parametrize("more", [[], ["--resend-changed"]])
def test_what_was_mended_before_it_was_refused_goes_as_it_is_by_now(tmp_path, more):
    """A night had begun to send it, so that the old version goes, and is refused; never does it follow the new one."""
    with Sandbox(faults=[{"fault": "status", "status": 503}]) as sandbox:
        nights = Nights(tmp_path, sandbox)
        nights.write("a.jsonl", [row(1) | {"properties": {"v": 0, "poison": True}}, row(2)])
        nights.run("--max-attempts", "1", code=4)
        nights.write("a.jsonl", [row(1, 7), row(2)])
        sandbox.faults([{"fault": "poison", "property": "poison"}])
        assert nights.run(*more, code=3)["next"].startswith("migrate resend ")
        words = ["resend", tmp_path / "w", "--host", sandbox.url]
        done = migrate(*words, env={"POSTHOG_API_KEY": KEY})
        assert done.returncode == 0, done.stderr
        assert {key[0]: value for key, value in nights.kept().items()} == {
            row(1)["uuid"]: 7,
            row(2)["uuid"]: 0,
        }
        assert {one["properties"]["v"] for one in sandbox.events("raw") if one["uuid"] == row(1)["uuid"]} == {
            7
        }
        status = summary(migrate("status", tmp_path / "w", "--json"))
        assert (status["state"], status["balanced"], status["events"]["parked"]) == ("all_sent", True, 0)
