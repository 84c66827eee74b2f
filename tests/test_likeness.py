"""Files of one platform are told from those of every other by what the mappings declare."""

import pytest
from beside import acme
from commands import migrate
from samples import PLATFORMS, SAMPLES, spec

from migrate import likeness, platforms
from migrate.errors import Unrecognised, UsageError
from migrate.likeness import likely
from migrate.settings import Settings

__all__ = ["acme"]

ALIKE = {("segment", "rudderstack"), ("customerio", "rudderstack"), ("customerio", "segment")}
"""Whose files cannot be told from the other's: RudderStack has tables of its own beside Segment's, Customer.io writes
the calls of both, and is told by what its files are called."""
DECLARED = [name for name in PLATFORMS if name != "table"]


@pytest.mark.parametrize("asked", DECLARED)
@pytest.mark.parametrize("sample", PLATFORMS)
def test_every_sample_is_told_from_every_other_platform(asked, sample):
    """Named is the platform it is of, never why a table of the other refuses it; each platform takes its own."""
    settings = Settings(platform=asked, spec=spec(asked))
    if asked == sample or (sample, asked) in ALIKE:
        assert settings.work([str(SAMPLES / sample)]).set_aside == {}
        return
    with pytest.raises(Unrecognised) as refused:
        settings.work([str(SAMPLES / sample)])
    said = str(refused.value)
    title = platforms.mapping(asked).title.partition(" (")[0]
    if sample == "table":
        assert f": no table of {title} (" in said
        assert "; nor has one of another platform: look with 'migrate inspect FILE', describe" in said
        return
    assert f"'s, not like {title}'s, found " in said
    assert f"'migrate run {sample} …'" in said


@pytest.mark.parametrize(
    ("platform", "columns", "found"),
    [
        ("amplitude", "event properties", ["mixpanel"]),
        ("mixpanel", "event properties", []),
        (
            "mixpanel",
            "event properties type messageId anonymousId userId timestamp context",
            ["rudderstack", "segment"],
        ),
        ("posthog", "session_id user_id event_id time path title", ["heap"]),
        ("heap", "session_id user_id event_id time path title", []),
        ("amplitude", "order_id price country", []),
    ],
)
def test_a_table_that_knows_far_more_of_a_file_is_likelier(platform, columns, found):
    """One that knows half of it keeps it, and so does one beside which no other knows more."""
    words = columns.split()
    taken = platforms.mapping(platform).table_for(words, "a")
    assert list(likely(platform, words, "a", taken)) == found


def test_a_file_that_the_user_describes_is_never_another_platforms():
    """A spec is said on purpose."""
    described = platforms.platform("table", spec("table"))
    words = ["event_type", "event_time", "user_id", "device_id", "amplitude_id", "event_properties"]
    assert likely("table", words, "a", described.table_for(words, "a")) == {}


def test_the_command_to_try_can_be_pasted(tmp_path):
    """It names the inputs as they were typed, sends nothing, and works."""
    source = SAMPLES / "mixpanel"
    done = migrate("run", "amplitude", source, "--workdir", "my plan", "--host", "eu", "--yes", cwd=tmp_path)
    assert done.returncode == 2
    (way,) = [line for line in done.stderr.splitlines() if line.startswith("next     ")]
    assert way == f"next     migrate run mixpanel {source} --dry-run"
    assert migrate(*way.split()[2:], cwd=tmp_path).returncode in {0, 3}


@pytest.fixture
def no_memory():
    """Platforms that are there for one test only are known in it alone."""
    cached = (likeness._mappings, likeness._all_known)  # noqa: SLF001 - they are looked up once in a process
    for one in cached:
        one.cache_clear()
    yield
    for one in cached:
        one.cache_clear()


@pytest.mark.usefixtures("no_memory")
def test_a_file_without_a_header_is_told_by_its_platforms_columns(acme, tmp_path, monkeypatch):
    """Where another platform is named, and none of that one's tables takes it."""
    acme()
    monkeypatch.setattr(platforms, "names", lambda: ["acme", "mixpanel"])
    log = tmp_path / "log"
    log.write_text("2024-04-03T10:00:00Z\tu\tview\t{}\t\n")
    with pytest.raises(Unrecognised, match=r"log: the columns look like Acme's, not like Mixpanel's"):
        Settings(platform="mixpanel").work([str(log)])
    log.write_text("2024-04-03T10:00:00Z\tu\tview\t{}\n")
    with pytest.raises(UsageError, match="its first line is a row and no header"):
        Settings(platform="mixpanel").work([str(log)])
