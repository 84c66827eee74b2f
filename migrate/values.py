"""PostHog's spellings of what platforms spell each in their own way, so that history and live data count together.

The spellings are those of PostHog's own libraries (sources-2.md §0). Every function takes expressions of text and
returns one; a null stays null, and a text that no table knows stays as it is unless the function says otherwise.
"""

from collections.abc import Mapping
from typing import Final

import polars as pl

from migrate import expr

CAMPAIGN: Final = (
    *("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "utm_id", "gclid", "gclsrc", "dclid"),
    *("gbraid", "wbraid", "fbclid", "msclkid", "ttclid", "twclid", "li_fat_id", "mc_cid", "igshid", "rdt_cid"),
)
"""Query parameters of campaigns and clicks that PostHog keeps as properties of the same name."""

NOTHING: Final = ("", "(not set)", "(not provided)", "(data deleted)", "<Other>", "undefined", "null", "NULL", "None")
"""What vendors write for "nothing", wherever no value can be meant by it."""


def known(text: pl.Expr, *markers: str) -> pl.Expr:
    """Return the text without blanks around it, null where it is blank, in `NOTHING`, or one of the markers."""
    return expr.without(expr.stripped(text), *NOTHING, *markers)


def system(text: pl.Expr) -> pl.Expr:
    """Return `$os` ("Mac OS X", "Windows", "iOS", "Android", "Linux", "Chrome OS") of a vendor's name for it."""
    raise NotImplementedError


def browser(text: pl.Expr) -> pl.Expr:
    """Return `$browser` ("Chrome", "Mobile Safari", "Microsoft Edge", …) of a vendor's name, version cut off."""
    raise NotImplementedError


def version(text: pl.Expr) -> pl.Expr:
    """Return `$browser_version`, a number: the first one in the text ("Chrome 99.0.48" -> 99.0), else null."""
    raise NotImplementedError


def device_type(*texts: pl.Expr) -> pl.Expr:
    """Return `$device_type` ("Desktop", "Mobile", "Tablet", "TV", "Wearable", …); null where none of the texts says.

    The texts are, first to last, a vendor's device type, model, system or platform: the first that says it counts.
    """
    raise NotImplementedError


def country_code(text: pl.Expr) -> pl.Expr:
    """Return `$geoip_country_code` (ISO 3166 alpha-2, upper case) of a code (2 or 3 letters) or English name."""
    raise NotImplementedError


def country_name(text: pl.Expr) -> pl.Expr:
    """Return `$geoip_country_name` in English as MaxMind spells it, of a code or a name."""
    raise NotImplementedError


def page(url: pl.Expr, *, referrer: pl.Expr | None = None, web: pl.Expr | None = None) -> Mapping[str, pl.Expr]:
    """Return `$current_url`, `$host`, `$pathname`; and, given one, `$referrer` and `$referring_domain`.

    A blank referrer is "$direct", for both, where `web` holds (default: where there is a url); else null.
    """
    raise NotImplementedError


def referring_domain(referrer: pl.Expr) -> pl.Expr:
    """Return the host of a referrer; "$direct" of "$direct"."""
    raise NotImplementedError


def campaign(url: pl.Expr) -> Mapping[str, pl.Expr]:
    """Return the `CAMPAIGN` parameters that stand in the query of a URL, decoded."""
    raise NotImplementedError


def language(text: pl.Expr) -> pl.Expr:
    """Return `$browser_language` ("en-US") of a code in any spelling ("en_us", "EN-us"); null of anything else."""
    raise NotImplementedError
