"""Small parts are read many at once, to what reading each by itself gives."""

import polars as pl
import pytest
from workdirs import events

from migrate.workdir import dayfile, light
from migrate.workdir.days import DayWriter
from migrate.workdir.depot import Depot

COLUMNS = ["timestamp", "event", "payload"]


@pytest.fixture
def parts(tmp_path):
    """Parts of some days."""
    writer = DayWriter(tmp_path, 1)
    writer.write(events(200, days=7))
    return writer.finish()


def test_light_parts_are_read_at_once_and_others_are_named(tmp_path, parts, monkeypatch):
    """In their order, each event with the place of its part: what is large, harmed or gone is to be read by itself."""
    each = [pl.concat([*dayfile.frames(tmp_path / part.path, COLUMNS)]) for part in parts]
    *_, most, largest = sorted(part.bytes for part in parts)
    monkeypatch.setattr(light, "_LIGHT", most)
    (large,) = (place for place, part in enumerate(parts) if part.bytes == largest)
    gone, harmed, *_ = (place for place in range(len(parts)) if place != large)
    (tmp_path / parts[gone].path).unlink()
    path = tmp_path / parts[harmed].path
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    lot = light.read(tmp_path, parts, COLUMNS)
    assert {*lot.others} == {large, gone, harmed}
    for place, frame in enumerate(each):
        its = lot.frame.filter(pl.col("part") == place).drop("part")
        assert its.equals(frame.clear() if place in lot.others else frame)
    assert lot.frame["part"].is_sorted()
    none = light.read(tmp_path, [parts[gone]], COLUMNS)
    assert (none.others, none.frame.height, none.frame.schema) == ([0], 0, lot.frame.schema)


def test_all_events_come_a_few_parts_at_a_time(tmp_path, parts, monkeypatch):
    """As many as are to be in memory; each part is in one lot."""
    whole = pl.concat(light.frames(Depot(tmp_path), parts, COLUMNS))
    monkeypatch.setattr(light, "_MOST", most := 2 * max(map(light.weight, parts)))
    lots = [*light.lots(Depot(tmp_path), parts, COLUMNS)]
    assert [part for lot in lots for part in lot.parts] == parts
    assert len(lots) > 1
    assert all(sum(map(light.weight, lot.parts)) <= most for lot in lots)
    assert pl.concat(lot.frame for lot in lots).drop("part").equals(whole)
    monkeypatch.setattr(light, "_LIGHT", 0)
    assert pl.concat(light.frames(Depot(tmp_path), parts, COLUMNS)).equals(whole)
    (tmp_path / parts[0].path).write_bytes(b"harmed")
    with pytest.raises(dayfile.UNREADABLE):
        [*light.frames(Depot(tmp_path), parts, COLUMNS)]
