"""What is printed is what was said."""

from migrate.report.samples import Sample
from migrate.report.sections import Line
from migrate.report.terminal import Terminal


def test_text_from_elsewhere_stays_text(capsys):
    """Ids may hold what a terminal's library takes for a picture, a colour or a link."""
    ids = ["user:100:x", "[bold]anna[/bold]", "[link=http://x]y[/link]", ":smiley:"]
    Terminal().print(map(Line, ids))
    assert capsys.readouterr().err.splitlines() == ids


def printed(capsys, monkeypatch, width):
    """A row beside what it becomes, as lines, on a screen of this width."""
    monkeypatch.setenv("COLUMNS", str(width))
    Terminal().print_samples([Sample("row a:1", ["name: 1", "long: " + "x" * 40], ["event: [bold]"])])
    return capsys.readouterr().err.splitlines()


def test_a_row_stands_beside_what_it_becomes(capsys, monkeypatch):
    """Each column folds its own lines; text stays text, and no blank is left at an end."""
    assert printed(capsys, monkeypatch, 80) == [
        "row a:1",
        "name: 1                                   event: [bold]",
        "long:",
        "x" * 40,
        "",
    ]


def test_where_there_is_no_room_it_stands_above(capsys, monkeypatch):
    """Forty columns are enough for anything."""
    assert printed(capsys, monkeypatch, 40) == [
        "row a:1",
        "name: 1",
        "long:",
        "x" * 40,
        "event: [bold]",
        "",
    ]
