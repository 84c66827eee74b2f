"""Which hours of a plan occur twice."""

from migrate.page.days import Day, Days
from migrate.page.zones import gather

DAYS = Days(
    all={"2023-10-29": Day(planned=5), "2024-03-31": Day(planned=6)}, first="2023-01-01", last="2024-12-31"
)


def test_the_hour_that_clocks_are_set_back_is_told():
    """On days with events alone; a zone without one, and an offset, have none."""
    found = gather({"--source-timezone": "Europe/Berlin", "clock": "w"}, DAYS)
    assert (found.zone, found.warning) == ("Europe/Berlin", "w")
    assert [tuple(one) for one in found.twice] == [("2023-10-29", "2023-10-29 02:00 to 03:00", 5)]
    half = Days(all={"2024-04-06": Day(planned=1)}, first="2024-01-01", last="2024-12-31")
    (lord_howe,) = gather({"--source-timezone": "Australia/Lord_Howe"}, half).twice
    assert lord_howe.local == "2024-04-07 01:30 to 02:00"
    for zone in (None, "UTC", "+02:00", "Asia/Tokyo"):
        assert gather({"--source-timezone": zone}, DAYS).twice == []
    assert gather({"--source-timezone": "Europe/Berlin"}, Days()).twice == []
