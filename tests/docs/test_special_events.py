"""Special events of PostHog, as docs/special-events.md makes them: each is what is shown, and lacks nothing."""

import json

import polars as pl
import pytest
from commands import migrate
from markdown import ROOT, blocks, rows

from migrate.inspection.words import NAMES as SUGGESTED
from migrate.payload.required import lacking
from migrate.report.sections import LOSSES

PAGE = ROOT / "docs" / "special-events.md"
EXAMPLES = list(zip(blocks(PAGE, "csv"), blocks(PAGE, "toml"), blocks(PAGE, "json"), strict=True))
NAMES = {
    *("$pageview", "$screen", "$create_alias", "$groupidentify", "$exception"),
    *("survey shown", "survey sent", "survey dismissed"),
    *("$ai_generation", "$ai_span", "$ai_trace", "$ai_embedding"),
}


@pytest.mark.parametrize(("table", "spec", "shown"), EXAMPLES)
def test_every_example_makes_what_is_shown(tmp_path, table, spec, shown):
    """Its rows, by its spec, become its events, and nothing that PostHog requires is missing in them."""
    (tmp_path / "rows.csv").write_text(table)
    (tmp_path / "spec.toml").write_text(spec)
    done = migrate("preview", "table", "rows.csv", "--spec", "spec.toml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, shown), done.stderr
    payloads = shown.splitlines()
    events = [json.loads(one)["event"] for one in payloads]
    assert lacking(pl.DataFrame({"event": events, "payload": payloads})) == {}


def test_every_special_event_is_there():
    """None is told of alone."""
    events = {json.loads(line)["event"] for _, _, shown in EXAMPLES for line in shown.splitlines()}
    assert events >= NAMES
    assert any('"$process_person_profile":false' in shown for _, _, shown in EXAMPLES)


def test_every_loss_is_told():
    """What PostHog makes of events that it takes: here, and before they are sent."""
    told = [cells[0].replace("`", "").split(", ") for cells in rows(PAGE, "Lanes and losses")]
    assert sorted(name for names in told for name in names) == sorted(LOSSES)


def test_names_that_are_suggested_are_told():
    """What `migrate spec` would rename a column to, and nothing that begins with a dollar sign and is a campaign's."""
    told = {
        name.strip("`") for cells in rows(PAGE, "Names that PostHog knows") for name in cells[0].split(", ")
    }
    assert told >= set(SUGGESTED.values())
    assert not {name for name in told if name.startswith(("$utm", "$gclid"))}
