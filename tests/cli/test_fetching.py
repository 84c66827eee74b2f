"""What may be typed where a vendor is asked, and what may not."""

import pytest
from commands import migrate

from migrate.cli.fetching import VENDORS
from migrate.download import PLATFORMS


@pytest.mark.parametrize("word", ["--api-key", "--secret-key", "--api-secret", "--password"])
def test_a_credential_that_is_typed_is_refused(tmp_path, word):
    """It is shown nowhere, and not in the log, which is not even begun."""
    log = tmp_path / "log"
    for typed in ([word, "s3cret"], [f"{word}=s3cret"]):
        done = migrate("fetch", "amplitude", "exports", "--log-file", log, *typed, cwd=tmp_path)
        assert (done.returncode, done.stdout, log.exists()) == (2, "", False)
        assert done.stderr.startswith(
            f"error: {word}: credentials are not typed, where others can read them; they are"
        )
        assert "s3cret" not in done.stderr


def test_the_platforms_are_known_twice_alike():
    """The help needs none of what fetches."""
    assert VENDORS == PLATFORMS


def test_only_some_platforms_have_an_api_that_is_known():
    """The others are named."""
    done = migrate("fetch", "heap", "exports")
    assert (done.returncode, "'heap' is not one of 'amplitude', 'mixpanel'" in done.stderr) == (2, True), (
        done.stderr
    )
