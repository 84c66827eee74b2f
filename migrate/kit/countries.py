"""Countries by code and English name, spelled as MaxMind spells them, whose database PostHog looks addresses up in.

Codes and names are Unicode's, which Babel carries; they are read when the first country is asked for.
"""

import re
import unicodedata
from functools import cache
from typing import Final

_LETTERS: Final = 3
"""A code has no more of them."""
# Where MaxMind's name is not Unicode's with "and" and "Saint" written out (GeoLite2-Country-Locations-en.csv
# in github.com/Loyalsoldier/geoip, read 2026-11-20; logs of lookups up to 2026-06 say "The Netherlands").
_MAXMIND: Final = {
    "BQ": "Bonaire, Sint Eustatius, and Saba",
    "CD": "DR Congo",
    "CG": "Congo Republic",
    "CI": "Ivory Coast",
    "CV": "Cabo Verde",
    "FM": "Federated States of Micronesia",
    "GS": "South Georgia and the South Sandwich Islands",
    "HK": "Hong Kong",
    "KN": "St Kitts and Nevis",
    "MM": "Myanmar",
    "MO": "Macao",
    "NL": "The Netherlands",
    "PS": "Palestine",
    "VC": "St Vincent and Grenadines",
}
# Other names that stand in exports: those of ISO 3166, of older databases, and short ones.
_ALIASES: Final = {
    "AE": "UAE|Emirates",
    "BN": "Brunei Darussalam",
    "CD": "Congo (DRC)|Congo (Kinshasa)|Congo, Democratic Republic of the|Democratic Republic of the Congo|DRC|Zaire",
    "CG": "Congo|Congo (Brazzaville)|Congo (Republic)|Republic of the Congo",
    "CZ": "Czech Republic",
    "FK": "Falkland Islands (Malvinas)",
    "GB": "Great Britain|England|Scotland|Wales|Northern Ireland|United Kingdom of Great Britain and Northern Ireland",
    "HK": "Hong Kong SAR",
    "HM": "Heard Island and McDonald Islands",
    "KG": "Kyrgyz Republic",
    "KP": "Korea (North)|Korea, Democratic People's Republic of|Democratic People's Republic of Korea|DPRK",
    "KR": "Korea|Korea (South)",
    "LA": "Lao People's Democratic Republic|Lao PDR",
    "MF": "Saint Martin (French part)",
    "MK": "Macedonia|Macedonia (FYROM)|Macedonia, the former Yugoslav Republic of|FYROM",
    "MM": "Burma",
    "MO": "Macau|Macau SAR|Macao SAR",
    "NL": "Holland",
    "PN": "Pitcairn",
    "PS": "Palestinian Territory|Palestinian Territory, Occupied|Occupied Palestinian Territory",
    "RU": "Russian Federation",
    "SH": "Saint Helena, Ascension and Tristan da Cunha",
    "SK": "Slovak Republic",
    "SX": "Sint Maarten (Dutch part)",
    "SY": "Syrian Arab Republic",
    "SZ": "Swaziland",
    "TL": "East Timor",
    "TR": "Turkey",
    "TW": "Taiwan, Province of China",
    "UM": "United States Minor Outlying Islands",
    "US": "United States of America|America",
    "VA": "Vatican|Holy See|Holy See (Vatican City State)",
    "VG": "Virgin Islands, British|Virgin Islands (British)",
    "VI": "Virgin Islands, U.S.|Virgin Islands (U.S.)|United States Virgin Islands|US Virgin Islands",
    "VN": "Viet Nam",
}
# "Republic of Moldova", "Moldova, Republic of".
_STATE: Final = re.compile(
    r"^.*\b(?:republic|kingdom|state|commonwealth|principality|sultanate|duchy|union) of (?:the )?|,.* of(?: the)?$",
    re.IGNORECASE,
)
_NO_COUNTRY: Final = frozenset(
    {"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"}
)


def code(text: str) -> str | None:
    """Return the alpha-2 code of a code of two or three letters or of an English name, in any case; else null."""
    return _codes().get(_plain(text)) or _codes().get(_plain(_STATE.sub("", text)))


def name(text: str) -> str | None:
    """Return MaxMind's name of a country by code or name; null of an unknown code, and an unknown name as it is."""
    found = code(text)
    if found:
        return _names()[found]
    return text if len(_plain(text)) > _LETTERS or not text.isascii() else None


@cache
def _unicode() -> dict[str, str]:
    """Return Unicode's English names by code."""
    from babel import Locale  # noqa: PLC0415 - Babel takes 50 ms, which no other command should wait for

    names = {str(key): str(text) for key, text in Locale("en").territories.items()}
    return {key: names[key] for key in names if re.fullmatch("[A-Z]{2}", key) and key not in _NO_COUNTRY}


@cache
def _names() -> dict[str, str]:
    """Return MaxMind's names by code."""
    written = {key: text.replace("&", "and").replace("St. ", "Saint ") for key, text in _unicode().items()}
    return written | _MAXMIND


@cache
def _codes() -> dict[str, str]:
    """Return the codes by every code and name that is known, plain."""
    from babel.core import get_global  # noqa: PLC0415

    names = _names()
    codes = {
        old: new[0] for old, new in get_global("territory_aliases").items() if old.isalpha() and len(new) == 1
    }
    others = {text: key for key, texts in _ALIASES.items() for text in texts.split("|")}
    named = {text: key for table in (_unicode(), names) for key, text in table.items()}
    told = (
        {key: new for key, new in codes.items() if new in names}
        | others
        | named
        | {key: key for key in names}
    )
    return {_plain(text): key for text, key in told.items()}


def _plain(text: str) -> str:
    """Return the letters of a text in lower case without accents, "and", "the" and "Saint" in one spelling."""
    bare = unicodedata.normalize("NFKD", text.casefold().replace("&", " and "))
    letters = "".join(char for char in bare if not unicodedata.combining(char))
    words = re.findall(r"[^\W\d_]+", letters.replace(".", "").replace("'", "").replace("\u2019", ""))
    return " ".join("saint" if word == "st" else word for word in words if word != "the")
