"""Move product-analytics history into PostHog: plan, then apply."""

from typing import Final

VERSION: Final = "0.1.0"
SANDBOX: Final = "migrate sandbox"
"""What a sandbox of ours says it is, at /_sandbox, and how it is told from a real PostHog."""
