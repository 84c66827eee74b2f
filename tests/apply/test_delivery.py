"""How a run sends is a value: a batch is never more than a second's worth, and the key is not shown."""

from hypothesis import given
from hypothesis import strategies as st
from workdirs import delivery


@given(st.none() | st.floats(0.001, 1e6), st.integers(1, 2_000))
def test_a_batch_has_a_seconds_worth_of_events_at_the_most(rate, most):
    """But at least one, and never more than is asked for; without a rate as many as that."""
    found = delivery("http://h", rate=rate, max_batch_events=most).largest_batch
    assert 1 <= found <= most
    assert rate is None or found <= max(1, rate)
    assert found == most or found > (rate or 0) - 1


def test_a_delivery_does_not_show_its_key():
    """Neither a log nor a traceback tells it."""
    assert "phc_secret" not in repr(delivery("http://h"))
