"""How sending went, slot by slot."""

from filled import made

from migrate.page.sending import gather
from migrate.workdir import sendings


def test_all_that_happened_is_in_the_table(tmp_path):
    """In stretches of slots; answers and waits in all, and where time was left out."""
    with made(tmp_path) as checkpoint:
        minutes = sendings.minutes(checkpoint)
    found = gather(minutes)
    assert (found.slots, found.slot, len(found.stretches)) == (90, 60, 23)
    assert sum(one.events for one in found.stretches) == sum(one.accepted for one in minutes)
    assert sum(one.requests for one in found.stretches) == 90 * 60
    assert list(found.answers) == ["200", "503", "429"]
    assert sum(one.others for one in found.stretches) == found.answers["503"] + found.answers["429"]
    assert round(sum(one.waited for one in found.stretches)) == round(sum(found.waits.values()))
    assert found.breaks.count("M") == 1
    assert found.most == max(one.accepted for one in minutes) / 60
    assert gather([]).stretches == ()
