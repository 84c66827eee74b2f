"""Files of a plan in a storage: copies are here while somebody reads them, and whoever waits for one can leave."""

import threading

import pytest
from between import BUSY
from workdirs import events

from migrate.errors import Stopped
from migrate.plan.handing import packed, unpacked
from migrate.workdir import dayfile, far
from migrate.workdir.days import DayWriter
from migrate.workdir.depot import Left
from migrate.workdir.far import FarDepot
from migrate.workdir.seals import Harmed, Kept

DAYS = [f"days/2024-04-0{day}/00000001-000000.parquet" for day in (3, 4, 5)]


@pytest.fixture
def depot(s3, s3_between, tmp_path):  # noqa: ARG001 - it stands between
    """A depot with three files in it, written by a process that it was handed to."""
    made = unpacked(packed(FarDepot.of(tmp_path, {"folder": f"{s3.url}plans", "id": "w"})))
    files = {name: tmp_path / f"aside-{day}" for day, name in enumerate(DAYS)}
    for path in files.values():
        path.write_bytes(path.name.encode() * 100_000)
    made.kept = [Kept(tmp_path / name, Kept.of(path).seal) for name, path in files.items()]
    made.keep(files)
    made.take()
    yield made
    made.leave()
    assert [*(tmp_path / "days").iterdir()] == []


def here(depot):
    """The copies that are whole."""
    return [name for name in DAYS if (depot.workdir / name).exists()]


def test_copies_are_here_while_they_are_read(depot, s3_between):
    """Each as often as it is wanted, fetched once; the next ones come beside, and wait until they are wanted."""
    one, two, three = DAYS
    assert here(depot) == [] == [path.name for path in depot.workdir.glob("aside*")]
    with depot.near([one]):
        with depot.near([one, two]):
            assert here(depot) == [one, two]
        assert here(depot) == [one]
    asked = threading.Event()
    s3_between.before = lambda one: asked.set() if two in one.path else None
    with depot.near([one], {two: 1}):
        assert asked.wait(60)
    with depot.near([two], {three: 10**18}):  # more than the disk has room for
        assert here(depot) == [two]
        assert len(s3_between.gets(two)) == 2  # each time it was fetched
        assert (depot.workdir / two).read_bytes() == b"aside-1" * 100_000
    assert here(depot) == []
    depot.leave()
    with depot.near([one]):
        assert here(depot) == []  # who does not hold the workdir has none


def test_what_is_gone_is_missed_and_found_by_whoever_lists(depot, s3):
    """A copy there is none of; another size is as bad."""
    one, two, three = DAYS
    assert [*depot.listed()] == [DAYS]
    depot.check(depot.kept)
    depot.remove([one, "days/never"])
    with depot.near([one, two]):
        assert here(depot) == [two]
    s3.put(f"plans/w/{three}", b"short")
    for number, why in {0: "found no such object", 2: "found 5 bytes where 700,000 were written"}.items():
        with pytest.raises(Harmed, match=f"harmed since it was written, {why};") as raised:
            depot.check(depot.kept[number : number + 1])
        assert raised.value.path == depot.workdir / DAYS[number]


def test_what_is_lent_stays_here(depot, tmp_path):
    """It can be brought, and dropped without what was brought."""
    (tmp_path / "a").write_bytes(b"a")
    depot.lend({"staging/t/a": tmp_path / "a"})
    depot.bring(["staging/t/a", "staging/t/b"])
    assert [*depot.listed("staging/t/")] == [["staging/t/a"]]
    depot.drop(["staging/t/a"])
    assert (tmp_path / "a").read_bytes() == (tmp_path / "staging" / "t" / "a").read_bytes() == b"a"
    assert [*depot.listed()] == [DAYS]


def test_a_storage_that_gives_no_answer_is_left(depot, s3_between):
    """By its own words, or as soon as work is to stop; what was fetched ahead in vain is asked for again."""
    one, two, three = DAYS
    s3_between.refused = (two, BUSY)
    aside = depot.workdir / "aside"
    aside.write_bytes(b"x")
    with depot.near([one], {two: 1}):
        assert here(depot) == [one]
    with (
        pytest.raises(Stopped, match="the storage answers 503; run the same command again later"),
        depot.near([two]),
    ):
        pass
    s3_between.refused = (one, BUSY)
    with pytest.raises(Stopped, match="the storage answers 503 SlowDown"):
        depot.keep({one: aside})
    s3_between.refused = None
    reached, goes_on = threading.Event(), threading.Event()
    s3_between.before = lambda _: (reached.set(), goes_on.wait())
    with pytest.raises(Left), depot.near([three], is_over=reached.is_set):
        pass
    goes_on.set()
    assert far.address("S3://b/x/") == "s3://b/x"


def test_each_try_of_an_input_has_objects_of_its_own(depot, tmp_path):
    """A process that is thought to be gone may still write; in the workdir, names are the same."""
    for number in (1, 2):
        writer = DayWriter(tmp_path, 7, mark=f"t/{number}", depot=depot)
        writer.write(events(3))
        (part,) = writer.finish()
        assert part.path == f"days/2024-04-03/00000007-000000-t-{number}.parquet"
        assert not writer.aside.exists() or [*writer.aside.iterdir()] == []
        with depot.near([part.path]):
            assert sum(dayfile.names(tmp_path / part.path).values()) == 3
    here = DayWriter(tmp_path / "here", 7, mark="t/3")
    here.write(events(3))
    assert [part.path for part in here.finish()] == ["days/2024-04-03/00000007-000000.parquet"]
