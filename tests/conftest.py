"""What holds of all tests: Hypothesis waits as long as it takes, for a busy machine is no error."""

from hypothesis import settings

settings.register_profile("migrate", deadline=None)
settings.load_profile("migrate")
