"""The screen at the end of a trial."""

import json

import pytest
from workdirs import events, planned

from migrate.report import trial
from migrate.report.numbers import summary

UNTOLD = [
    (
        "trial    the first 1,500 rows, as real events, without merges, $set, $set_once and $groupidentify: first "
        "rows do not know people"
    ),
    "         all rows, later, send these events again under the same uuids: PostHog keeps each once",
]


@pytest.mark.parametrize(
    ("limit", "host", "said"),
    [(1_500, "no sandbox", UNTOLD), (1_500, None, []), (None, "no sandbox", [])],
    ids=["for good", "in a sandbox", "no trial"],
)
def test_a_trial_that_is_sent_for_good_says_what_it_leaves_out(tmp_path, limit, host, said):
    """To a sandbox it sends all; all rows are no trial."""
    with planned(tmp_path, events(3)) as checkpoint:
        checkpoint.note(**{"--limit": limit, "--host": host})
        assert [line.text for line in trial.said(checkpoint)] == said


def test_it_ends_with_what_does_it_for_good(tmp_path):
    """And with the trial's own command where something is left of it; no place is named that is gone."""
    with planned(tmp_path, events(3)) as checkpoint:
        numbers = summary(checkpoint)
        texts = [line.text for line in trial.lines(checkpoint, numbers, "migrate again", "migrate good")]
        assert texts[-3:] == [
            "workdir  in a throw-away workdir, which is gone",
            "again    migrate again",
            "next     migrate good",
        ]
        assert json.dumps(str(tmp_path))[1:-1] not in "\n".join(texts[-3:])
