"""What is to be done again is done before what is still coming, which is looked for one by one."""

from migrate.plan.pending import Pending


def test_those_that_are_done_again_come_first():
    """How many there are is about as many as were said to come."""
    seen = []
    pending = Pending(iter(seen.append(name) or name for name in "abc"), 5)
    assert pending
    assert (seen, pending.count()) == (["a"], 5)
    pending.put_back("x", "y")
    assert [pending.take(is_busy=True) for _ in range(3)] == ["x", "y", "a"]
    assert [pending.take(is_busy=False) for _ in "bcd"] == ["b", "c", None]
    assert not pending
    assert pending.count() == 0


def test_one_that_is_to_be_done_alone_is_the_last():
    """And waits for those that are at work."""
    pending = Pending(iter("a"), 1, str.isupper)
    pending.put_back("X", "y", "Z")
    assert pending.count() == 4
    assert [pending.take(is_busy=True) for _ in range(3)] == ["y", "a", None]
    assert pending
    assert [pending.take(is_busy=False), pending.take(is_busy=True)] == ["X", None]
    assert [pending.take(is_busy=False), pending.take(is_busy=False)] == ["Z", None]
    assert not pending
