"""`migrate fetch`, and a run that fetches first, against servers that answer as the vendors do."""

import gzip
import json
from datetime import datetime, timedelta

import pytest
from commands import KEY, migrate, summary
from vendors import ACCOUNT, KEYS, SECRET, SECRETS, Amplitude, Mixpanel, amplitude_rows, mixpanel_rows

from migrate.fetching import mixpanel
from migrate.fetching.vendor import Quota
from migrate.sandbox.server import Sandbox

HOUR = datetime(2024, 4, 3, 5)  # noqa: DTZ001 - a vendor's own clock
SPAN = ("--since", "2024-04-01", "--until", "2024-04-04")


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    """A vendor that may be asked as often as one likes, where a test does not say otherwise."""
    monkeypatch.setattr(mixpanel, "QUOTAS", (Quota(10_000, 1.0),))


def fetch(vendor, folder, *words, env=None):
    """Fetch into `exports`."""
    platform = type(vendor).__name__.lower()
    usual = KEYS if platform == "amplitude" else ACCOUNT
    words = ("fetch", platform, "exports", "--api-host", vendor.url, *words)
    return migrate(*words, cwd=folder, env=usual if env is None else env)


def test_days_of_amplitude(tmp_path):
    hours = {HOUR: [*amplitude_rows(HOUR, 7)]}
    with Amplitude(hours) as vendor:
        done = fetch(vendor, tmp_path, *SPAN, "--json")
        print(done.stderr, done.stdout, vendor.asked)
        assert done.returncode == 0
    assert 0
