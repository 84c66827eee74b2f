"""Before anything is sent, what is to be sent is there; what is parked of it and is another by now gives way."""

import pytest
from workdirs import events, planned

from migrate.apply.beginning import make_ready
from migrate.workdir import rounds
from migrate.workdir.records import Settled
from migrate.workdir.seals import Harmed


def test_a_file_that_is_gone_is_missed_before_anything_is_sent(tmp_path):
    """Of a day that is not sent; what was sent is asked for by nobody."""
    with planned(tmp_path, events(60, days=2)) as checkpoint:
        make_ready(checkpoint)
        first, second = sorted(tmp_path.glob("days/*/*"))
        (round_,) = rounds.of_day(checkpoint, first.parent.name)
        rounds.settle(checkpoint, [rounds.Outcome(round_, Settled(accepted=30), True)])
        first.unlink()
        make_ready(checkpoint)
        second.unlink()
        with pytest.raises(Harmed, match=f"{second.name}: harmed since it was written, found 'No such file"):
            make_ready(checkpoint)
