"""What there is a mapping for."""

import re

from commands import migrate


def test_platforms_lists_every_mapping():
    """A mapping is listed because its file is there."""
    shown = migrate("platforms").stdout
    for name in ("amplitude", "posthog", "table"):
        assert re.search(rf"^{name} ", shown, re.MULTILINE)
