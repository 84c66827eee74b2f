"""A command's verification ends early when its session does, and a harmed plan is a sentence."""

import pytest
from asks import PERSONAL
from imported import EVENTS, sent

from migrate.asking.target import Access
from migrate.errors import Refused
from migrate.sandbox.server import Sandbox
from migrate.session import Session
from migrate.verification import verify_sent


def test_it_is_the_sessions_work(tmp_path):
    """All is there; where the session is to end there is no verdict; a file that is harmed is named."""
    with Sandbox() as sandbox, sent(tmp_path / "w", sandbox, EVENTS) as checkpoint:
        session, access = Session(checkpoint), Access(sandbox.app_url, PERSONAL)
        days = []
        verdict = verify_sent(session, access, on_counted=lambda *one: days.append(one))
        assert (verdict.passes, days) == (True, [(5, 5)])
        part = next((tmp_path / "w" / "days").rglob("*.parquet"))
        part.write_bytes(part.read_bytes()[:-1])
        with pytest.raises(
            Refused, match=r"harmed since it was planned, found .*; it is of 0\.jsonl: plan it anew"
        ):
            verify_sent(session, access)
        session.stop()
        assert verify_sent(session, access) is None
