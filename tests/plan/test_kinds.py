"""What executors are called."""

import pytest

from migrate.plan.kinds import kind_of


@pytest.mark.parametrize(
    ("typed", "kind"),
    [
        (" Inline", "inline"),
        ("processes", "processes"),
        ("DASK://Node-1:8786/", "dask://Node-1:8786"),
        ("dask://[::1]:1", "dask://[::1]:1"),
        ("dask://node", None),
        ("dask://key@node:1", None),
        ("dask://node:65535", "dask://node:65535"),
        ("dask://node:65536", None),
        ("dask://node:0", None),
        ("Threads", "inline"),
    ],
)
def test_a_kind_is_a_word_or_an_address(typed, kind):
    """With a host and a port."""
    assert kind_of(typed) == kind
