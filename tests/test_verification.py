"""A command's verification ends early when its session does, and a harmed plan is a sentence."""

import pytest
from asks import PERSONAL
from imported import EVENTS, sent

from migrate.asking.target import Access
from migrate.errors import Refused
from migrate.sandbox.server import Sandbox
from migrate.session import Session
from migrate.verification import verify_sent
from migrate.workdir.records import BEFORE


def test_it_is_the_sessions_work(tmp_path):
    """All is there; where it is to end there is no verdict; a harmed file is named, or left out if no source has it."""
    with Sandbox() as sandbox, sent(tmp_path / "w", sandbox, EVENTS) as checkpoint:
        session, access = Session(checkpoint), Access(sandbox.app_url, PERSONAL)
        days = []
        verdict = verify_sent(session, access, on_counted=lambda *one: days.append(one))
        assert (verdict.passes, days) == (True, [(5, 5)])
        part = next((tmp_path / "w" / "days").rglob("*.parquet"))
        part.write_bytes(part.read_bytes()[:-1])
        with pytest.raises(
            Refused,
            match=r"sent, found .*; it is of 0\.jsonl: plan it anew, with --again 0\.jsonl; what was sent",
        ):
            verify_sent(session, access)
        with checkpoint.change() as db:
            db.execute("UPDATE inputs SET name = ?", (f"0.jsonl{BEFORE}1)",))
        verdict = verify_sent(session, access)
        (events,) = verdict.not_compared.values()
        assert [*verdict.not_compared] == [
            "files of the plan are lost or harmed, and no source can put them back"
        ]
        assert (verdict.passes, verdict.planned.events) == (True, EVENTS.height - events)
        assert 0 < events < EVENTS.height
        session.stop()
        assert verify_sent(session, access) is None
