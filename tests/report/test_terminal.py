"""What is printed is what was said."""

from migrate.report.sections import Line
from migrate.report.terminal import Terminal


def test_text_from_elsewhere_stays_text(capsys):
    """Ids may hold what a terminal's library takes for a picture, a colour or a link."""
    ids = ["user:100:x", "[bold]anna[/bold]", "[link=http://x]y[/link]", ":smiley:"]
    Terminal().print(map(Line, ids))
    assert capsys.readouterr().err.splitlines() == ids
