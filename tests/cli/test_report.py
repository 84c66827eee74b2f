"""The page of a workdir, asked for and left by commands."""

from commands import KEY, rows
from filled import Shape, made
from webpage import Page
from workdirs import here

from migrate.sandbox.server import Sandbox
from migrate.workdir.hold import hold


def test_it_says_where_the_page_lies(tmp_path):
    """In the workdir, or where it is asked for; what cannot be is a sentence, and no traceback."""
    made(tmp_path / "w", Shape(days=20, names=2)).close()
    done = here("report", tmp_path / "w")
    assert (done.returncode, done.stderr) == (0, f"report   {tmp_path / 'w' / 'report.html'}\n")
    page = (tmp_path / "w" / "report.html").read_text()
    Page(page).check()
    assert "anna0@example.com" not in page
    done = here("report", tmp_path / "w", "-o", tmp_path / "x.html", "--samples", "full", "--json")
    assert done.summary["report"] == str(tmp_path / "x.html")
    assert done.summary["run"]["exit_code"] == 0
    assert "anna0@example.com" in (tmp_path / "x.html").read_text()
    done = here("report", tmp_path / "w", "-o", tmp_path / "no" / "x.html")
    assert done.returncode == 2
    assert "--output: " in done.stderr
    assert "No such file or directory; name a file in a folder that is there" in done.stderr
    done = here("report", tmp_path / "w", "-o", "-")
    assert (done.returncode, "--output: the page is written to a file, found '-'" in done.stderr) == (2, True)
    done = here("report", tmp_path / "none")
    assert (done.returncode, "so nothing is planned there" in done.stderr) == (5, True)
    with hold(tmp_path / "w"):
        assert here("report", tmp_path / "w").returncode == 0
    assert "A command is at work here" in (tmp_path / "w" / "report.html").read_text()


def test_commands_leave_it_as_it_would_be_asked_for(tmp_path):
    """A plan, its sending and its verification; what cannot be written is a warning, and changes no exit code."""
    workdir, path = tmp_path / "w", tmp_path / "w" / "report.html"
    source = rows(tmp_path / "in" / "a.jsonl", 4)

    def same():
        left = path.read_bytes()
        here("report", workdir)
        return left == path.read_bytes()

    with Sandbox() as sandbox:
        target = ["--host", sandbox.url, "--api-key", KEY]
        assert here("plan", "posthog", source, "--workdir", workdir).returncode == 0
        assert same()
        assert Page(path.read_text()).count("pending") == 4
        assert here("apply", workdir, *target).returncode == 0
        assert same()
        assert Page(path.read_text()).count("accepted") == 4
        verify = ["--app-host", sandbox.url, "--personal-api-key", "phx_test"]
        assert here("verify", workdir, *verify).returncode == 0
        assert same()
        assert Page(path.read_text()).count("there") == 4
        path.unlink()
        path.mkdir()
        done = here("apply", workdir, *target)
    assert done.returncode == 0
    assert "warning: report.html is not written, " in done.stderr


def test_a_night_that_set_something_aside_has_its_page(tmp_path):
    """So has one that was stopped; one that was refused before it began leaves the page as it was."""
    source = rows(tmp_path / "in" / "a.jsonl", 4)
    words = ["posthog", tmp_path / "in", "--workdir", tmp_path / "w"]
    here("plan", *words)
    path = tmp_path / "w" / "report.html"
    rows(source, 5)
    assert here("plan", *words, "--on-changed", "set-aside").returncode == 5
    page = path.read_text()
    assert "1 file set aside, not planned: " in page
    assert here("plan", *words, "--identity", "none").returncode == 5
    assert path.read_text() == page
    done = here(
        "apply",
        tmp_path / "w",
        "--host",
        "http://127.0.0.1:9",
        "--api-key",
        KEY,
        "--deadline",
        "0.1s",
        "--yes",
    )
    assert done.returncode == 4
    assert "sending stopped" in path.read_text()
