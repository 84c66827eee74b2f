"""Move product-analytics history into PostHog: plan, then apply."""

from typing import Final

VERSION: Final = "0.1.0"
