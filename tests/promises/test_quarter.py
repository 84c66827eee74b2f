"""Generated nights of four platforms, as they rewrite, add and repeat: each event is there once, each night as said.

The long form, 90 nights of each, with its figures: python benchmarks/quarter.py
"""

import pytest
from quarter import Quarter
from samples import EVERY
from shop import EXPORTS, KIOSK, Mixpanel, date

from migrate.sandbox.server import Sandbox

NIGHTS = [*["usual"] * 4, "empty", "missing", "repeated", "rewritten", "changed"]
ROUGH = [
    *(*["usual"] * 3, "bad row", "killed", "quota", "usual", "window", "killed", "bad file"),
    *("payload version", "usual", "killed", "identity version", "usual"),
]
"""Each kind that is not among the others; killed at three places."""


@pytest.fixture
def quarter(tmp_path):
    """Nights of an export into a sandbox."""
    with Sandbox() as sandbox:
        yield lambda export: Quarter(export(tmp_path / "in", 30), tmp_path, sandbox)


def bring(nights, kinds):
    """Go through these nights, of which none sends an event twice, and one more, which has nothing to send."""
    for kind in kinds:
        found = nights.night(kind)
    assert nights.again == 0
    if nights.merges:
        assert nights.merges[KIOSK] == "user-0"  # who was there before is known later, and would be another
        assert found["identity"]["conflicts"] == 1
    before = len(nights.raw)
    nights.run(kind="usual", code=0)
    assert len(nights.raw) == before


@pytest.mark.parametrize(
    "export", [one for one in EXPORTS if EVERY or one is not Mixpanel], ids=lambda one: one.platform
)
def test_whatever_a_platform_does_to_its_files_each_event_is_sent_once(quarter, export):
    """As it was first shown, in its own day, under one id; a kiosk stays whose it was first taken for.

    The nights of Mixpanel are those in a bucket, below.
    """
    bring(quarter(export), NIGHTS)


@pytest.mark.parametrize("export", EXPORTS if EVERY else [Mixpanel], ids=lambda one: one.platform)
def test_a_quarter_in_a_bucket_is_the_same(quarter, s3, export):
    """Objects come, go and are written anew as the files do; those with the same bytes again have other e_tags."""
    nights = quarter(export)
    there, folder, more = {}, nights.export.folder, nights.export.words()[2:]

    def words():
        """Bring the bucket to where the folder is, which the command is to read."""
        here = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
        for key, path in here.items():
            if there.get(key) != path.stat().st_mtime_ns:
                (s3.put_in_parts if key in there else s3.put)(key, path.read_bytes())
        for key in there.keys() - here.keys():
            s3.delete(key)
        there.clear()
        there.update({key: path.stat().st_mtime_ns for key, path in here.items()})
        return [export.platform, s3.url, *more]

    nights.export.words = words
    bring(nights, [*NIGHTS[2:], "bad file"])


def test_days_in_paths_with_a_look_back_find_all_that_comes_late(quarter):
    """Each night asks for its own day, and looks at the ten before it."""
    nights = quarter(Mixpanel)
    folder = nights.export.folder
    words = ["mixpanel", folder / "export/{since:%Y-%m-%d}.jsonl", folder / "profiles.jsonl"]
    nights.export.words = lambda: words
    for kind in NIGHTS:
        day = nights.number
        nights.more = ["--since", date(day), "--until", date(day + 1), "--lookback", "10"]
        nights.night("usual" if kind == "repeated" else kind)


@pytest.mark.crash
@pytest.mark.parametrize("export", EXPORTS if EVERY else [Mixpanel], ids=lambda one: one.platform)
def test_a_rough_quarter_ends_with_every_event_once(quarter, export):
    """Killed, over its quota and its window, with bad rows and files, and under other versions on its way."""
    nights = quarter(export)
    for kind in ROUGH:
        nights.night(kind)
    assert nights.codes == {0: 10, 3: 2, 4: 1, 5: 2, 6: 1, -9: 3}
    assert nights.sent.isdisjoint(nights.lost)
    assert nights.again < len(nights.sent)
