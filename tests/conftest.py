"""What holds of all tests: Hypothesis waits as long as it takes, for a busy machine is no error.

polars works in one thread, as the cores are busy with other tests: a fifth less of their time. That threads change no
byte is a test of its own (`tests/readers/test_opener.py`). Laws are tried on more examples with `EVERY=1`.
"""

import os

import pytest
from hypothesis import settings
from storage import s3, s3_address, s3_between

from migrate.stores import waiting

__all__ = ["s3", "s3_address", "s3_between"]  # fixtures

os.environ.setdefault("POLARS_MAX_THREADS", "1")  # before any test imports it
settings.register_profile("migrate", deadline=None, max_examples=50 if "EVERY" in os.environ else 10)
settings.load_profile("migrate")


@pytest.fixture(autouse=True)
def storages_may_be_asked():
    """Whatever a test before has interrupted in this process."""
    waiting.begin()


def pytest_xdist_auto_num_workers():
    """One process more than there are cores: there is always a test that waits for something."""
    return (os.cpu_count() or 1) + 1
