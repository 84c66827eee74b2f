"""PostHog's spellings of what platforms spell each in their own way, so that history and live data count together.

The spellings are those of PostHog's own libraries (sources-2.md §0; posthog-js, `user-agent-utils.ts` and
`event-utils.ts`, read 2026-11-20). Every function takes expressions of text and returns one of text, unless it says
otherwise; null stays null, what only says "nothing" or "could not tell" (`nulls`) becomes null, and a text that no
table knows stays as it is, unless the function says otherwise. Nothing is counted or rejected.

    extra={"$os": values.system(pl.col("os")), **values.page(pl.col("url"), referrer=pl.col("referrer"))}
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Final
from urllib.parse import unquote_plus

import polars as pl

from migrate.kit import countries, elements, expr, spellings
from migrate.kit.distinct import distinct, unless_null
from migrate.kit.nulls import NOTHING, UNKNOWN

CAMPAIGN: Final = (
    *("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "utm_id", "gclid", "gclsrc"),
    *("dclid", "gad_source", "gbraid", "wbraid", "fbclid", "msclkid", "ttclid", "twclid", "li_fat_id"),
    *("mc_cid", "igshid", "rdt_cid", "epik", "qclid", "sccid", "irclid", "_kx"),
)
"""Query parameters of campaigns and clicks: those that posthog-js keeps as properties of the same name, and utm_id."""

_BLANKS: Final = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
"""What polars strips of a text: Unicode's white space."""
_QUERY: Final = re.compile(r"[^?#]*\?([^#]*)")

AGENT: Final = pl.Struct(
    {"browser": pl.String, "version": pl.Float64, "system": pl.String, "kind": pl.String}
)
"""What `user_agent` tells: `$browser`, `$browser_version`, `$os`, `$device_type`."""


_NO_ID: Final = tuple(word for word in NOTHING if word.lower() not in {"undefined", "null", "none"})
"""What is no id, nor a word that PostHog merges with no one."""


def known(text: pl.Expr, *markers: str) -> pl.Expr:
    """Return the text without blanks around it, null where it is blank, in `nulls.NOTHING`, or one of the markers."""
    return expr.without(expr.stripped(text), *NOTHING, *markers)


def system(text: pl.Expr) -> pl.Expr:
    """Return `$os` ("Mac OS X", "Windows", "iOS", "Android", "Linux", "Chrome OS") of a vendor's name for it.

    The version is cut off only of names that are known; null also for "web".
    """
    name = _told(text, "web")
    return pl.coalesce(system_of(name), name)


def system_of(*texts: pl.Expr) -> pl.Expr:
    """Return `$os` as the first of these texts tells it (a model, family or platform); null where none does.

    `values.system_of(pl.col("device_family"), pl.col("platform"))`: "iPhone 12" is iOS.
    """
    return pl.coalesce([expr.classified(text, spellings.SYSTEMS) for text in texts])


def browser(text: pl.Expr, *, on: pl.Expr | None = None) -> pl.Expr:
    """Return `$browser` ("Chrome", "Mobile Safari", "Microsoft Edge", …) of a vendor's name, version cut off.

    `on` is what `system` returned: for vendors who call the browsers of an iPhone "Safari", "Chrome" and "Firefox",
    which PostHog calls "Mobile Safari", "Chrome iOS" and "Firefox iOS".
    """
    spelled = _distinct(text, _browser)
    if on is None:
        return spelled
    return pl.when(on == "iOS").then(spelled.replace(spellings.IPHONE_BROWSERS)).otherwise(spelled)


def version(text: pl.Expr) -> pl.Expr:
    """Return `$browser_version` as Float64: the first number in the text ("Chrome 99.0.48" -> 99.0), else null."""
    return expr.number(text.str.extract(r"(\d+(?:\.\d+)?)"))


def device_type(*texts: pl.Expr) -> pl.Expr:
    """Return `$device_type` ("Desktop", "Mobile", "Tablet", "TV", "Wearable", …); null where none of the texts says.

    The texts are, first to last, a vendor's device type, model, system or platform: the first that says it counts.
    """
    return pl.coalesce([expr.classified(text, spellings.DEVICE_TYPES) for text in texts])


def user_agent(text: pl.Expr) -> pl.Expr:
    """Return a struct of what a user agent tells, `AGENT`: `values.user_agent(pl.col("ua")).struct.field("browser")`.

    Browsers are told by posthog-js's rules; fields that none of them knows are null. An app's user agent that says on
    which phone it runs tells that alone: `Dalvik/2.1.0 (Linux; U; Android 9; …)`. All others, of servers and robots,
    tell nothing.
    """
    return _distinct(text, _agent, AGENT)


def country_code(text: pl.Expr) -> pl.Expr:
    """Return `$geoip_country_code` (ISO 3166 alpha-2, upper case) of a code (2 or 3 letters) or English name.

    Null where it is neither.
    """
    return expr.each(_told(text), countries.code)


def country_name(text: pl.Expr) -> pl.Expr:
    """Return `$geoip_country_name` in English as MaxMind spells it, of a code or a name."""
    return expr.each(_told(text), countries.name)


def page(
    url: pl.Expr, *, referrer: pl.Expr | None = None, web: pl.Expr | None = None
) -> Mapping[str, pl.Expr]:
    """Return `$current_url`, `$host`, `$pathname` by name; and, given a referrer, `$referrer` and `$referring_domain`.

    A blank referrer is "$direct", for both, where `web` (Boolean) holds (default: where there is a url); else null.
    Spread it into `extra`: `**values.page(pl.col("url"), referrer=pl.col("referrer"))`.
    """
    where = known(url)
    found = {
        "$current_url": where,
        "$host": expr.host(where).str.to_lowercase(),
        "$pathname": expr.path(where),
    }
    if referrer is None:
        return found
    came = known(referrer)
    direct = pl.when(where.is_not_null() if web is None else web).then(pl.lit("$direct"))
    return found | {
        "$referrer": pl.coalesce(came, direct),
        "$referring_domain": pl.when(came.is_null()).then(direct).otherwise(referring_domain(came)),
    }


def referring_domain(referrer: pl.Expr) -> pl.Expr:
    """Return the host of a referrer, also of one without "https://"; "$direct" of "$direct"."""
    return _distinct(referrer, _domain)


def campaign(url: pl.Expr) -> Mapping[str, pl.Expr]:
    """Return the `CAMPAIGN` parameters in the query of a URL, by name, decoded; of a repeated one the first.

    A blank one, and one that is not there, is null.
    """
    return {name: unless_null(url, partial(_parameter, name=name), pl.String) for name in CAMPAIGN}


def language(text: pl.Expr) -> pl.Expr:
    """Return `$browser_language` ("en-US") of a code in any spelling ("en_us", "EN-us"); null of anything else."""
    return _distinct(text, _language)


def elements_chain(  # noqa: PLR0913 - what is known of an element, by name
    *,
    hierarchy: pl.Expr,
    tag: pl.Expr,
    classes: pl.Expr,
    identifier: pl.Expr,
    href: pl.Expr,
    text: pl.Expr,
) -> pl.Expr:
    """Return PostHog's `$elements_chain` of a clicked element and its ancestors; null where nothing is known of it.

    `hierarchy` is a JSON list of `{"tag","id","classes","index","indexOfType","attrs"}`, the element first, places
    counted from 0; one that cannot be read counts as none. What the others say of the element itself wins over it.
    `classes` are divided by blanks.
    """
    given = (hierarchy, tag, classes, identifier, href, text)
    element = pl.struct(one.alias(f"field_{place}") for place, one in enumerate(given))
    return expr.each(element, elements.chain)


def linkable(*names: str) -> pl.Expr:
    """Return the first of these columns' ids as `links` wants one: without blanks, null where there is none.

    What a vendor writes for "nothing" ("(not set)") is no id at all. The words that PostHog itself refuses
    ("undefined", "null", "none") stay: `links` counts the links that name them. Of a column in `Table.ids` they are
    gone by now.
    """
    return pl.coalesce(expr.without(expr.stripped(pl.col(name)), *_NO_ID) for name in names)


def _told(text: pl.Expr, *markers: str) -> pl.Expr:
    """Return the text as `known` does, null also where it is, in any case, in `UNKNOWN` or one of the markers."""
    told = known(text)
    return pl.when(~told.str.to_lowercase().is_in([*UNKNOWN, *markers])).then(told)


def _parameter(urls: pl.Series, name: str) -> pl.Series:
    """Return a parameter of the URLs' queries; few URLs have one, and all others are only searched for its name."""
    mark = f"{name}="
    found = [None if url is None or mark not in url else _campaign(url).get(name) for url in urls.to_list()]
    return pl.Series(found, dtype=pl.String)


@lru_cache(4_096)
def _campaign(url: str) -> dict[str, str | None]:
    """Return what `campaign` finds in one URL."""
    query = _QUERY.match(url)
    pairs = (part.partition("=") for part in query[1].split("&")) if query else ()
    found: dict[str, str | None] = {}
    for name, equals, value in pairs:
        if equals and name in CAMPAIGN:
            found.setdefault(name, unquote_plus(value).strip(_BLANKS) or None)
    return found


def _distinct(
    text: pl.Expr,
    function: Callable[[pl.Expr], pl.Expr],
    dtype: pl.DataType | type[pl.DataType] = pl.String,
) -> pl.Expr:
    """Return what the function, of columns, makes of each distinct text; a null stays null."""

    def made(given: pl.Series) -> pl.Series:
        found = distinct([given])
        texts = given.gather(found.places).to_frame("text")
        is_told = pl.col("text").is_not_null()
        known = texts.select_seq(pl.when(is_told).then(function(pl.col("text"))).alias(given.name))
        return known.to_series().gather(found.codes)

    return unless_null(text, made, dtype)


def _browser(text: pl.Expr) -> pl.Expr:
    name = _told(expr.stripped(text).str.replace(r"(?s)[ /]v?\d.*$", ""))
    plain = name.str.to_lowercase().str.replace_all(r"[-_ ]+", " ")
    return pl.coalesce(plain.replace_strict(spellings.BROWSERS, default=None, return_dtype=pl.String), name)


def _domain(referrer: pl.Expr) -> pl.Expr:
    text = known(referrer)
    bare = text.str.extract(r"^((?:(?:[\w-]+\.)+[A-Za-z]{2,}|localhost)(?::\d+)?)(?:[/?#]|$)")
    host = pl.coalesce(expr.host(text), bare).str.to_lowercase()
    return pl.when(text == "$direct").then(text).otherwise(host)


def _language(text: pl.Expr) -> pl.Expr:
    parts = (
        known(text)
        .str.to_lowercase()
        .str.replace_all("_", "-", literal=True)
        .str.extract_groups(r"^([a-z]{2,3})(?:-([a-z]{4}))?(?:-([a-z]{2}|\d{3}))?((?:-[a-z\d]+)+)?$")
        .struct
    )
    named = (parts.field("1"), parts.field("2").str.to_titlecase(), parts.field("3").str.to_uppercase())
    spelled = pl.concat_str(named, separator="-", ignore_nulls=True) + parts.field("4").fill_null("")
    return pl.when(parts.field("1").is_not_null()).then(spelled)


def _agent(text: pl.Expr) -> pl.Expr:
    web = pl.when(text.str.contains(r"^(Mozilla|Opera)/")).then(text)
    name = expr.classified(web, spellings.AGENTS)
    found = pl.coalesce(web.str.extract(pattern) for pattern in spellings.AGENT_VERSIONS)
    seen = web.str.extract(r"^(?:Mozilla|Opera)/[\d.]+ \(([^)]*)\)")
    app = pl.when(web.is_null()).then(text.str.extract(r"\(([^()]*)\)"))
    on_phone = pl.when(app.str.contains(r"(^|;) *(Android [\d.]+|iPhone|iPad|iPod touch)\b")).then(app)
    platform = pl.coalesce(seen, on_phone)
    named = system(platform)
    tablet = seen.str.contains("Android", literal=True) & ~web.str.contains("Mobile", literal=True)
    kind = pl.when(tablet).then(pl.lit("Tablet")).otherwise(device_type(platform))
    return pl.struct(
        name.alias("browser"),
        pl.when(name.is_not_null()).then(version(found)).alias("version"),
        pl.when(named != platform).then(named).alias("system"),
        kind.alias("kind"),
    )
