"""What holds of all tests: Hypothesis waits as long as it takes, for a busy machine is no error."""

import os

from hypothesis import settings

settings.register_profile("migrate", deadline=None, max_examples=50)
settings.load_profile("migrate")


def pytest_xdist_auto_num_workers():
    """One process more than there are cores: there is always a test that waits for something."""
    return (os.cpu_count() or 1) + 1
