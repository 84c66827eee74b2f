"""Event frames, states and links → those that the rules let through: which events, whose, under which name."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import polars as pl

from migrate.payload.payloads import Ruled
from migrate.people.states import GROUP, group_of
from migrate.people.states import PERSON as OF_PERSON
from migrate.rules.bags import PREFIX, Bags
from migrate.rules.declared import TELLING, Rules
from migrate.rules.names import Names

_GROUPIDENTIFY: Final = "$groupidentify"
_BAGS: Final = ("laid", "own", "properties", "rest")
"""Columns of an event frame that hold properties, as JSON."""
_JOINING: Final = ("linked", "same", "resolved")
"""Kinds of links that make ids one."""


class Ruling:
    """The rules of a user, ready for any number of chunks, in any thread."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._drop, self._only = Names(rules.drop_events), Names(rules.only_events)
        self._never = sorted(rules.never_import)
        self._met: set[str] = set()
        """Ids and names of events that rules name, and that were there."""
        self.bags = Bags(rules)
        names = json.dumps([[*rules.rename.values()], rules.constants, rules.tags])
        self.ruled = Ruled(self.payloads, makes_dollars="$" in names)

    @classmethod
    def of(cls, rules: Rules) -> "Ruling | None":
        """Return the rules, ready; None where there are none, so that they cost nothing."""
        return None if rules.identity is None and rules.rest is None else cls(rules)

    @classmethod
    def of_told(cls, rules: Rules) -> "Ruling | None":
        """Return what holds of events that come from no row.

        What they tell has been through the rules when it was noted, perhaps through those of an earlier night or of
        another workdir that shares its people: what can be done twice is done again.
        """
        names = ("drop", "drop_anywhere", "shorten_ip", "constants", "tags")
        return cls.of(Rules(**{name: getattr(rules, name) for name in names}))

    @property
    def renames(self) -> Mapping[str, str]:
        """Properties → the names that they get."""
        return self._rules.rename

    def unlinked(self, links: pl.DataFrame) -> pl.DataFrame:
        """Return links (`schemas.LINK_SCHEMA`) with those refused that must not be made."""
        ids = sorted(self._rules.unlinked)
        if not ids:
            return links
        for name in "ab":
            self._meet(links[name].str.strip_chars(), ids)
        is_named = pl.any_horizontal(
            pl.col(name).str.strip_chars().is_in(ids).fill_null(value=False) for name in "ab"
        )
        # Who a source says that a row is of, and is not to be imported, is whose row it is left out as.
        is_never = (pl.col("kind") == "resolved") & pl.col("b").str.strip_chars().is_in(self._never)
        is_out = is_named & pl.col("kind").is_in(_JOINING) & ~is_never.fill_null(value=False)
        return links.with_columns(
            pl.when(is_out).then(pl.lit("refused")).otherwise("kind").alias("kind"),
            pl.when(is_out).then(pl.lit(f"{PREFIX}never_link")).otherwise("why").alias("why"),
        )

    def events_out(self) -> Iterator[tuple[str, Callable[[pl.DataFrame], pl.Series]]]:
        """Yield the rules that leave out events: under which name, and which events of a frame."""
        if self._never:
            yield (
                f"{PREFIX}never_import",
                lambda frame: self._meet(frame["distinct_id"].str.strip_chars(), self._never),
            )
        if self.bags.fates.is_any:
            yield f"{PREFIX}groups", self._of_personal_groups
        if self._drop:
            yield f"{PREFIX}drop_events", lambda frame: _called(frame, lambda name: name in self._drop)
        if self._only:
            yield (
                f"{PREFIX}only_events",
                lambda frame: _called(frame, lambda name: name not in self._only and name not in TELLING),
            )

    def _of_personal_groups(self, frame: pl.DataFrame) -> pl.Series:
        """Return which events tell of a group of a type whose keys are to be left out or hashed."""
        is_telling = _called(frame, lambda name: name == _GROUPIDENTIFY)
        if not is_telling.any():
            return is_telling
        bags = frame.select_seq(name for name in _BAGS if name in frame.columns).filter(is_telling)
        found = [any(map(self.bags.is_personal_group, texts)) for texts in bags.iter_rows()]
        return is_telling.scatter(is_telling.arg_true(), found)

    def _meet(self, found: pl.Series, meant: Sequence[str]) -> pl.Series:
        """Return which are meant by a rule, and take note of them."""
        is_meant = found.is_in(meant)
        self._met.update(found.filter(is_meant).unique())
        return is_meant

    def unmet(self) -> dict[str, list[str]]:
        """Return what the rules name that was not there so far, by rule."""
        rules = self._rules
        found = {
            "event_names": rules.event_names,
            "never_import": rules.never_import,
            "never_link": rules.never_link,
        }
        left = {rule: [one for one in names if one not in self._met] for rule, names in found.items()}
        left |= {"drop_events": self._drop.unmet(), "only_events": self._only.unmet()}
        return self.bags.fates.unmet() | {rule: names for rule, names in left.items() if names}

    def renamed(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return an event frame with its events under the names that they are to have."""
        names = self._rules.event_names
        if not names:
            return frame
        bare = pl.col("event").str.strip_chars()
        self._meet(frame["event"].str.strip_chars(), [*names])
        return frame.with_columns_seq(
            pl.when(bare.is_in([*names])).then(bare.replace(dict(names))).otherwise("event").alias("event")
        )

    def imported(self, states: pl.DataFrame) -> pl.DataFrame:
        """Return states without those of persons of whom nothing is imported; groups are told by no such person."""
        if not self._never:
            return states
        whose, owner = pl.col("distinct_id"), pl.col("owner")
        self._meet(states["owner"].str.slice(1), self._never)
        is_out = (owner.str.starts_with(OF_PERSON) & owner.str.slice(1).is_in(self._never)).fill_null(
            value=False
        )
        teller = pl.when(whose.is_in(self._never).fill_null(value=False)).then(None).otherwise(whose)
        return states.filter(~is_out).with_columns_seq(teller.alias("distinct_id"))

    def told(self, states: pl.DataFrame, counts: Counter[str]) -> pl.DataFrame:
        """Return states as the rules on properties want them told, without those of which nothing is left."""
        if not self.bags.fates.is_any or not states.height:
            return states
        is_group = pl.col("owner").str.starts_with(GROUP)
        kinds = states.lazy().filter(is_group).select(group_of()[0].unique()).collect().to_series()
        if out := [kind for kind in kinds if self.bags.fates.is_personal(kind)]:
            kept = states.filter(~(is_group & group_of()[0].is_in(out)))
            counts[f"{PREFIX}groups"] += states.height - kept.height
            states = kept
        told = pl.Series([self.bags.told(text, counts) for text in states["told"]], dtype=pl.String)
        is_empty = told.is_null() & states["told"].is_not_null()
        owns = states.select_seq(is_group).to_series()
        told = told.set(is_empty & owns, "{}")
        return states.with_columns_seq(told.alias("told")).filter(~(is_empty & ~owns))

    def payloads(self, frame: pl.DataFrame, counts: Counter[str]) -> pl.DataFrame:
        """Return finished events with their `payload` as the rules on properties want it."""
        if not self._rules.changes_properties:
            return frame
        texts = [self.bags.payload(text, counts) for text in frame["payload"]]
        return frame.with_columns_seq(pl.Series("payload", texts, dtype=pl.String))


def _called(frame: pl.DataFrame, is_meant: Callable[[str], bool]) -> pl.Series:
    """Return which events have a name that is meant."""
    names = [name for name in frame["event"].unique() if name is not None and is_meant(name.strip())]
    return frame["event"].is_in(names).fill_null(value=False)
