"""The table of what each command did."""

from migrate.report import history
from migrate.workdir.history import Entry

ENTRIES = [
    Entry(
        *("2026-11-27T02:30:00+00:00", "plan", "2026-11-27T03:31:05+00:00"),
        files=1_234,
        planned=12_345_678,
        accepted=2_345,
        duplicate=9,
        parked=8,
        rejected=7,
        held=34_567,
        set_aside=12,
        exit_code=5,
    ),
    Entry("2026-11-28T02:30:59+00:00", "resend"),
    Entry("2026-11-29T02:30:00+00:00", "run", files=0, planned=0, accepted=9, held=0, set_aside=0),
]


def test_every_number_is_in_its_place():
    """Beyond a thousand; who has no end was killed, but for one that works now; nothing is what is not known."""
    table = [line.text for line in history.lines(ENTRIES, is_running=True)]
    assert table == [
        "begun (UTC)       command     took  files     planned  accepted    held  aside  exit",
        "2026-11-27 02:30  plan     1:01:05  1,234  12,345,678     2,345  34,567     12  5",
        "2026-11-28 02:30  resend                                                        killed",
        "2026-11-29 02:30  run                   0           0         9       0      0  runs",
        "",
    ]
    *_, last, _ = history.lines(ENTRIES, is_running=False)
    assert last.text.endswith("killed")
    assert list(history.lines([], is_running=False)) == []
