"""What is to be done again is done before what is still coming, which is looked for one by one."""

from migrate.plan.pending import Pending


def test_those_that_are_done_again_come_first():
    """How many there are is about as many as were said to come."""
    seen = []
    pending = Pending(iter(seen.append(name) or name for name in "abc"), 5)
    assert pending
    assert (seen, pending.count()) == (["a"], 5)
    pending.put_back("x", "y")
    assert [pending.take() for _ in range(3)] == ["x", "y", "a"]
    assert [pending.take() for _ in "bc" if pending] == ["b", "c"]
    assert not pending
    assert pending.count() == 0
