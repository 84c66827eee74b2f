"""Values and geometry → the page: where all text is escaped, and what is missing is an error."""

import base64
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from migrate.page import months, sparks
from migrate.page.calendar import calendar
from migrate.page.compiled import Compiled
from migrate.page.findings import Weight, findings
from migrate.page.gathered import Gathered
from migrate.page.letters import MARK, clean, cut, of_json, without_addresses
from migrate.page.verdict import verdict
from migrate.report import estimates
from migrate.report.sections import ACCEPTED, REPLANNED, change, meaning, said_of_lost
from migrate.screen import amount, counted

MOST: Final = 500_000
"""Bytes of a page."""
_TEXT: Final = Markup("{}")
_NAME: Final = Markup("<code>{}</code>")
_SHARES: Final = (1.0, 0.7, 0.4, 0.2, 0.05)
"""Of what is listed so much is tried, until the page is small enough."""


SECTIONS: Final = {
    "verdict": "Is it whole and safe to send",
    "days": "Events by day",
    "names": "Event names",
    "properties": "Properties",
    "people": "People",
    "rejects": "Rejected and parked",
    "warnings": "Warnings, changes, filters, groups",
    "zones": "Zones",
    "sizes": "Sizes, batches, time",
    "sending": "Sending over time",
    "nights": "Nights",
    "verify": "What PostHog has",
    "how": "How it was done",
}
"""The sections, in the order of a person's questions, by the names of their templates."""


@dataclass(frozen=True)
class Limits:
    """How much is listed at the most; how much more there is, is said."""

    years: int = 12
    drawn: int = 100
    names: int = 1_000
    properties: int = 100
    findings: int = 40
    differing: int = 60
    holes: int = 60
    reasons: int = 30
    listed: int = 100
    """Of whatever else there may be many."""

    def less(self, share: float) -> "Limits":
        """Return a share of all of them, one of each at least."""
        return Limits(**{name: max(1, round(most * share)) for name, most in vars(self).items()})


def page(found: Gathered) -> str:
    """Return the page of a workdir; it has no more than `MOST` bytes."""
    html = ""
    for share in _SHARES:
        html = _rendered(found, Limits().less(share))
        if len(html.encode()) <= MOST:
            break
    return html


def _rendered(found: Gathered, limits: Limits) -> str:
    style = _style()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    out = findings(found)
    drawn = calendar(found.days, limits.years)
    return (
        _templates()
        .get_template("page.html")
        .render(
            g=found,
            n=found.numbers,
            limits=limits,
            sections=SECTIONS.items(),
            names_of={name: words[0].lower() + words[1:] for name, words in SECTIONS.items()},
            ruled_names=[name for name in found.numbers.repairs if name.startswith("rule:")],
            verdict=verdict(found, out),
            findings=out,
            Weight=Weight,
            calendar=drawn,
            months=months.months(found.days),
            day_rows=months.table(found.days, [one.year for one in drawn.years]),
            mark=Markup(MARK),  # noqa: S704 - our own words
            style=Markup(style),  # noqa: S704 - a file of ours
            policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
        )
    )


@cache
def _style() -> str:
    """Return the style sheet, without what is only for who reads it."""
    environment = _templates()
    text, _, _ = environment.loader.get_source(environment, "page.css")  # type: ignore[union-attr]
    return "\n".join(
        line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("/*")
    )


def _source() -> bytes:
    """Return what sets the templates up, so that those which were set up otherwise are known; none in an archive."""
    with suppress(OSError):
        return Path(__file__).read_bytes()
    return b""


@cache
def _templates() -> Environment:
    """Return the templates, with what they say of numbers."""
    environment = Environment(
        loader=PackageLoader("migrate.page"),
        autoescape=True,
        bytecode_cache=Compiled(made_by=_source()),
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "n": lambda count: f"{count:,}",
        "amount": amount,
        "counted": counted,
        "cut": cut,
        "moment": _moment,
        "took": lambda seconds: str(timedelta(seconds=round(seconds))),
        "strip": sparks.strip,
        "spark": sparks.spark,
        "share": _share,
        "person": lambda text, name, is_whole: of_json(name, text, is_whole=is_whole),
        "most": _most,
        "code": _code,
    }
    environment.globals |= {
        "meaning": meaning,
        "change": change,
        "REPLANNED": REPLANNED,
        "said_of_lost": said_of_lost,
        "ACCEPTED": ACCEPTED,
        "RATE": estimates.RATE,
        "SPARK": sparks.HEIGHT,
        "BARS": sparks.BARS,
        "SHARES": sparks.SHARES,
    }
    return environment


@pass_context
def _shown(context: Context, value: object) -> object:
    """Return a value as a page can show it, without addresses of people unless they are wanted whole."""
    value = clean(value)
    is_plain = not isinstance(value, str) or isinstance(value, Markup) or "@" not in value
    return value if is_plain or context["g"].is_whole else without_addresses(str(value))


def _moment(at: datetime | str | None) -> str:
    """Return a moment to the minute, in UTC."""
    if at is None:
        return "not known"
    text = at if isinstance(at, str) else at.isoformat()
    return f"{text[:16].replace('T', ' ')} UTC"


def _share(part: float) -> str:
    """Return a share in words: what is little is not nothing, and what is nearly all is not all."""
    if 0 < part < 0.01:  # noqa: PLR2004 - a hundredth
        return "under 1 %"
    return f"{min(99, round(part * 100)) if part < 1 else 100} %"


def _code(text: str) -> Markup:
    """Return a text of ours in which names stand between backticks, as our messages have them."""
    return Markup("").join(
        (_NAME if place % 2 else _TEXT).format(one) for place, one in enumerate(text.split("`"))
    )


def _most(counts: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """Yield counts, most first."""
    yield from sorted(counts.items(), key=lambda one: (-one[1], one[0]))
