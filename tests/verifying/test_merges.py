"""Of the planned merges some are asked for, evenly spread: whether PostHog has one person for both ids."""

import polars as pl
import pytest
from imported import DAYS, LATER, causes, events, sent, verified, with_payload

from migrate.sandbox.server import Sandbox
from migrate.verifying.ledger import Ledger
from migrate.verifying.merges import sample
from migrate.verifying.verdict import Merges


@pytest.fixture(scope="module")
def merged(tmp_path_factory):
    """An import in which 40 ids become one person each with another one, on two days, and its sandbox."""
    folder = tmp_path_factory.mktemp("merges")
    frame = events(40, days=2, people=1, names=("$identify",))
    frame = frame.with_columns(pl.format("u{}", "row").alias("distinct_id"))
    parts = [
        with_payload(one, f',"$anon_distinct_id":"anon-{one["row"][0]}"') for one in frame.iter_slices(1)
    ]
    plain = events(10, days=2, start=100)
    with Sandbox() as sandbox, sent(folder / "w", sandbox, pl.concat(parts), plain) as checkpoint:
        yield checkpoint, sandbox


def test_merges_that_came_true_are_counted(merged):
    """And nothing is said of them."""
    checkpoint, sandbox = merged
    verdict = verified(checkpoint, sandbox)
    assert (verdict.merges, verdict.findings) == (Merges(40, 40, 40), ())


def test_a_merge_that_was_refused_is_named(merged):
    """With the first letters of both ids."""
    checkpoint, sandbox = merged
    sandbox.faults([{"fault": "refused_merges", "distinct_id": "u7"}])
    assert causes(verified(checkpoint, sandbox)) == {"not_there_yet": 1}
    verdict = verified(checkpoint, sandbox, now=LATER)
    sandbox.faults([])
    assert (verdict.merges, causes(verdict), verdict.passes) == (
        Merges(40, 40, 39),
        {"merge_refused": 1},
        False,
    )
    assert [one.now for one in verdict.findings[0].examples] == ["u… and an…"]


def test_a_sample_is_evenly_spread_and_the_same_each_time(merged):
    """Over all days."""
    ledger = Ledger(merged[0])
    planned = {DAYS[0]: 20, DAYS[1]: 20}
    found = sample(ledger, planned, most=4)
    assert [(one.day, one.ids) for one in found] == [
        (DAYS[0], ("u0", "anon-0")),
        (DAYS[0], ("u10", "anon-10")),
        (DAYS[1], ("u20", "anon-20")),
        (DAYS[1], ("u30", "anon-30")),
    ]
    assert len(sample(ledger, planned)) == 40
