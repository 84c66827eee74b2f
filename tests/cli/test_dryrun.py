"""Everything there is to know before sending, and nothing left behind."""

from commands import migrate, rows, summary


def test_a_dry_run_shows_everything_sends_nothing_and_leaves_nothing(tmp_path):
    """The preview is on the screen; no workdir stays behind."""
    rows(tmp_path / "in" / "a.jsonl", 40)
    done = migrate("run", "posthog", tmp_path / "in", "--dry-run", "--json", cwd=tmp_path)
    assert done.returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    assert summary(done)["events"]["planned"] == summary(done)["events"]["pending"] == 40
    for words in (
        "events by day",
        "2024-04-03",
        "events by event",
        "ids      ",
        "nothing was sent",
        'event: "e"',
    ):
        assert words in done.stderr


def test_a_dry_run_says_why_a_file_is_nothing(tmp_path):
    """The place is the file's, since there is no row, and the reason stands where the row's events would."""
    (tmp_path / "in.jsonl").write_text('{"nonsense\nmore\n')
    shown = migrate("run", "amplitude", "in.jsonl", "--dry-run", cwd=tmp_path).stderr
    assert f"1 rejected: no_record  (at {tmp_path / 'in.jsonl'})" in shown
    assert "no event: rejected: no_record," in shown
