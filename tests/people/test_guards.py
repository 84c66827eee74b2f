"""Links that cannot be made are told apart before anything is made of them."""

from datetime import UTC, datetime

import polars as pl
import pytest

from migrate.kit import schemas
from migrate.people.guards import MAX_ID, refusal

NOON = datetime(2024, 4, 3, 12, tzinfo=UTC)


def why(**link):
    """Why a link cannot be made; ordinary but for what is given."""
    whole = {"kind": "linked", "a": "device-1", "b": "u-1", "why": "a row", "time": NOON} | link
    return pl.DataFrame([whole], schema=schemas.LINK_SCHEMA).select(refusal()).item()


@pytest.mark.parametrize(
    ("link", "reason"),
    [
        pytest.param({}, None, id="an ordinary link"),
        pytest.param({"a": "anonymous"}, "illegal_id", id="a word that is nobody's id"),
        pytest.param({"b": " "}, "illegal_id", id="blank"),
        pytest.param({"b": "ü" * (MAX_ID + 1)}, "too_long", id="too long"),
        pytest.param({"b": "😀" * MAX_ID}, None, id="as long as may be"),
        pytest.param({"a": "u-1"}, "self_link", id="with itself"),
        pytest.param({"time": None}, "no_time", id="at no time"),
        pytest.param(
            {"kind": "resolved", "a": f"{schemas.KEY}0", "time": None},
            None,
            id="a key of the source is no id",
        ),
        pytest.param(
            {"kind": "own", "b": f"{schemas.KEY}0", "time": None}, None, id="nor is what stands behind an id"
        ),
        pytest.param({"kind": "resolved", "a": "guest"}, "illegal_id", id="a word that the source resolves"),
        pytest.param({"kind": "refused", "why": "shared"}, "shared", id="refused by the mapping"),
    ],
)
def test_why_a_link_is_not_made(link, reason):
    """PostHog would refuse such a merge, or it would make one of two people who are none."""
    assert why(**link) == reason
