"""Words that stand for nothing: for no id, for no value, for "could not tell".

What PostHog itself refuses as an id is another list, and stands in `migrate.payload.special`; what one vendor alone
writes stands in its mapping.
"""

from typing import Final

import polars as pl

NO_ID: Final = (
    r"""(?i)^\s*["']?(?:null|\(null\)|none|nil|undefined|nan|<na>|<nil>|n/a|\\n|\]|\[\]|\{\}"""
    r"""|0{8}-?0{4}-?0{4}-?0{4}-?0{12}"""
    """|[\\s\\-\u2010-\u2015\u2212]*)["']?\\s*$"""
)
"""RE2 pattern of an id's text that is none: a word for nothing in any case, a uuid of zeros, only blanks or dashes."""

NOTHING: Final = (
    *("", "(not set)", "(not provided)", "(data deleted)", "<Other>", "not available in demo dataset"),
    *("::empty::", "::hash::0", "undefined", "null", "NULL", "None", r"\N"),
)
"""What vendors write for "nothing", spelled as they do, wherever no value can be meant by it."""

UNKNOWN: Final = (
    *("unknown", "unk", "other", "(other)", "others", "unclassified", "n/a", "(none)", "none", "??", "?"),
    *("-", "--"),
)
"""What they write, in any case, where they could not tell a system, a browser or a country."""


def means_nothing(text: pl.Expr) -> pl.Expr:
    """Return whether the text of an id is a word that programs write where there is none, in any case; a Boolean.

    Some of them are real ids to PostHog, so that all who have one become one person (posthog-ingestion.md §2.5, §3.7).
    No text at all is no word: `false`; null stays null.
    """
    return text.str.contains(NO_ID) & (text != "")
