"""What may be typed for a mapping of one's own."""

from commands import migrate


def test_the_sample_need_not_be_named():
    """It may lie beside; the help says so."""
    done = migrate("test", "--help")
    assert done.stdout.startswith("Usage: migrate test [OPTIONS] PLATFORM [SAMPLE]...\n")
    assert "--renew" in done.stdout
