"""An export, fetched into a target: from whom, of which time, and how to go on."""

import json
from datetime import UTC, datetime

import pytest
from commands import migrate, rows
from vendors import ACCOUNT, HOUR, KEYS, Amplitude, Mixpanel, amplitude_rows, mixpanel_rows

from migrate.download import Account, Download, vendor_of
from migrate.errors import Refused, Stopped, UsageError
from migrate.fetching import mixpanel
from migrate.fetching.fetcher import Hearing

NOW = datetime(2024, 4, 5, 1, 30, tzinfo=UTC)


def download(server, target, **said):
    """A download from a server; it is half past one."""
    kind = type(server).__name__.lower()
    account = Account(platform=kind, api_host=server.url, zone=said.get("zone"))
    return Download(vendor_of(account, KEYS | ACCOUNT), str(target), now=lambda: NOW, **said)


def test_it_goes_on_where_the_first_one_began(tmp_path):
    """Until the last hour that can be had; what was asked for early is asked for again, and the rest is new."""
    start = datetime(2024, 4, 4)  # noqa: DTZ001 - a vendor's own clock
    with Amplitude({start + n * HOUR: [*amplitude_rows(start + n * HOUR, 1)] for n in range(48)}) as server:
        one = download(server, tmp_path)
        one.run(datetime(2024, 4, 4, 20, 59, tzinfo=UTC), None)
        assert [what for what, _ in server.asked] == ["2024-04-04T20_2024-04-04T23"]
        assert (one.has_files, one.next) == (True, f"migrate run amplitude {tmp_path} --dry-run")
        two = Download(one.vendor, str(tmp_path), now=lambda: NOW + 3 * HOUR)
        two.run(None, None, lookback=0)
        assert [what for what, _ in server.asked[1:]] == [
            *("2024-04-04T23_2024-04-05T00", "2024-04-05T00_2024-04-05T02"),
        ]
        noted = json.loads((tmp_path / ".fetch.json").read_text())
        assert (noted["since"], noted["host"], noted["project"]) == ("2024-04-04T20:00", server.url, "187520")
        two.run(None, datetime(2024, 4, 4, 12, tzinfo=UTC))
        assert (two.tally.wanted, two.stretch.start == two.stretch.end) == (0, True)


def test_days_are_those_of_the_zone(tmp_path):
    """Of the project, and the command says it; the hour's allowance is that of all commands."""
    days = {f"2024-04-0{n}": [*mixpanel_rows(f"2024-04-0{n}", n)] for n in range(1, 8)}
    with Mixpanel(days) as server:
        one = download(server, tmp_path, zone="America/New_York")
        one.run(datetime(2024, 4, 2, tzinfo=UTC), None, lookback=0)
        assert sorted(what for what, _ in server.asked) == ["2024-04-01", "2024-04-02", "2024-04-03"]
    noted = json.loads((tmp_path / ".fetch.json").read_text())
    assert one.next.endswith("--source-timezone America/New_York --dry-run")
    assert (noted["timezone"], noted["next"], len(noted["requests"])) == ("America/New_York", one.next, 3)


def test_a_hole_is_told(tmp_path):
    """Nights that did not come, and a --since that goes with today, leave one; the command that fills it is said."""
    heard = []
    with Mixpanel({}) as server:
        for first, last in ((1, 2), (4, 5), (2, 4), (4, 5)):
            one = download(server, tmp_path)
            since, until = (datetime(2024, 4, day, tzinfo=UTC) for day in (first, last))
            one.run(since, until, hearing=Hearing(on_warning=heard.append))
    (said,) = heard
    assert said.endswith(
        ": 2 days from 2024-04-02 on were never asked for, and --since leaves them out; 'migrate fetch' without "
        "--since fetches them"
    )


def test_a_zone_that_is_noted_stays(tmp_path):
    """It need not be said again, so that no day is taken for over before it is; and what is no time is a sentence."""
    with Mixpanel({}) as server:
        download(server, tmp_path, zone="America/New_York").run(
            datetime(2024, 4, 2, tzinfo=UTC), None, lookback=0
        )
        one = download(server, tmp_path)
        one.run(None, datetime.max.replace(tzinfo=UTC), lookback=0)
        assert one.stretch.end == datetime(2024, 4, 4)  # noqa: DTZ001 - a vendor's own clock
        with pytest.raises(UsageError, match="--since: not before --until"):
            one.run(NOW, NOW)
        with pytest.raises(UsageError, match="--lookback: reaches back before any time"):
            one.run(None, None, lookback=10**12)
        one.run(None, NOW, lookback=10**9 - 1)
        with pytest.raises(UsageError, match="--since: no time of Mixpanel's, found '0001-01-01"):
            one.run(datetime.min.replace(tzinfo=UTC), None)


def test_keys_of_another_project_find_nothing_for_this_one(tmp_path):
    """Where they alone say which project it is: its empty hours would be noted as this one's. They are not noted."""
    with Amplitude({}) as server:
        server.logins += (("another", "secret"),)
        one = download(server, tmp_path)
        one.run(datetime(2024, 4, 4, 20, tzinfo=UTC), None)
        one.vendor = Download(
            vendor_of(
                Account(platform="amplitude", api_host=server.url),
                {"AMPLITUDE_API_KEY": "another", "AMPLITUDE_SECRET_KEY": "secret"},
            ),
            str(tmp_path),
        ).vendor
        with pytest.raises(
            Refused, match=r"is of keys \w{6}, found \w{6}; fetch into another folder, or remove this"
        ):
            one.run(None, None)


@pytest.mark.parametrize("kind", [Amplitude, Mixpanel])
def test_a_target_into_which_nothing_came_is_still_anyones(tmp_path, kind):
    """A region or a key that was mistyped is refused by the vendor, and the right one may follow."""
    since = datetime(2024, 4, 4, tzinfo=UTC)
    with kind({}) as server:
        server.logins = ()
        with pytest.raises(Stopped):
            download(server, tmp_path).run(since, None)
        assert json.loads((tmp_path / ".fetch.json").read_text())["host"] == server.url
    with kind({}) as other:
        one = download(other, tmp_path)
        one.run(None, None)
        assert (one.tally.left, one.stretch.start) == (0, since.replace(tzinfo=None))
    with kind({}) as third, pytest.raises(Refused, match=f"is of host {other.url}, found {third.url}"):
        download(third, tmp_path).run(None, None)


def test_interrupted_it_keeps_what_is_whole(tmp_path, monkeypatch):
    """Asked to stop while it waits for the limit; nothing half is there, and the notes know all."""
    monkeypatch.setattr(mixpanel, "QUOTAS", (mixpanel.Quota(2, 3_600.0),))
    days = {f"2024-04-0{n}": [*mixpanel_rows(f"2024-04-0{n}", n)] for n in range(1, 5)}
    with Mixpanel(days) as server:
        one = download(server, tmp_path)

        def wait(seconds, _why):
            assert seconds > 3_000
            one.stop()

        one.run(datetime(2024, 4, 1, tzinfo=UTC), None, concurrency=1, hearing=Hearing(on_wait=wait))
    assert (one.is_interrupted, one.tally.left, one.tally.new) == (True, 2, 2)
    held = sorted(path.name for path in tmp_path.iterdir())
    assert held == [".fetch.json", ".fetch.lock", "2024-04-01.jsonl.gz", "2024-04-02.jsonl.gz"]
    assert len(json.loads((tmp_path / ".fetch.json").read_text())["spans"]) == 2


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (
            {"platform": "heap"},
            "PLATFORM: no export API of 'heap' is known here; known are amplitude and mixpanel",
        ),
        ({"region": "in"}, "--region: Amplitude has no such region, found 'in'"),
        (
            {"zone": "Europe/Berlin"},
            "--source-timezone: Amplitude's hours are UTC, and its times, too; leave it out",
        ),
        ({"project_id": "1"}, "--project-id: Amplitude's keys are those of one project"),
        ({"api_host": "eu"}, "--api-host: not a URL, found 'eu'"),
        ({"api_host": "http://a.example"}, "--api-host: neither https nor of this machine"),
        (
            {"api_host": "https://u:p@a.example/x"},
            "--api-host: a URL with credentials in it, found 'https://***@a.example/x'",
        ),
        (
            {"api_host": "https://a.example?k=1"},
            "--api-host: a URL with a query or fragment, found 'https://a.example'",
        ),
    ],
)
def test_what_cannot_be_meant(said, message):
    """Before anything is asked."""
    with pytest.raises(UsageError) as caught:
        vendor_of(Account(**{"platform": "amplitude"} | said), KEYS)
    assert str(caught.value).startswith(message)


def test_regions_are_apart():
    """Each has its host."""
    found = [
        vendor_of(Account(platform=platform, region=region), KEYS | ACCOUNT).url
        for platform, region in (("amplitude", "us"), ("amplitude", "eu"), ("mixpanel", "in"))
    ]
    assert found == [
        "https://amplitude.com",
        "https://analytics.eu.amplitude.com",
        "https://data-in.mixpanel.com",
    ]


def test_a_workdir_is_no_target(tmp_path):
    """What is in it is no export, and no input."""
    assert (
        migrate("plan", "posthog", rows(tmp_path / "in" / "a.jsonl"), "--workdir", tmp_path / "w").returncode
        == 0
    )
    with (
        Amplitude({}) as server,
        pytest.raises(UsageError, match="TARGET: a workdir, whose plan is no export"),
    ):
        download(server, tmp_path / "w").run(NOW, None)


def test_the_first_time_says_since_when(tmp_path):
    """Nobody knows how long ago a project began."""
    with (
        Amplitude({}) as server,
        pytest.raises(UsageError, match="--since: missing, and nothing was fetched into"),
    ):
        download(server, tmp_path).run(None, None)
