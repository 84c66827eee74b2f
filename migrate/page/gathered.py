"""A workdir → all that its page shows, as values: read from the checkpoint once, without markup."""

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from migrate.page import clusters, days, names, provenance, rejected, sending, shares, zones
from migrate.report import estimates
from migrate.report.history import counts
from migrate.report.numbers import Summary, summary
from migrate.report.states import Found, states, with_states
from migrate.workdir import looks, parked, sendings, verified
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.history import Entry, entries
from migrate.workdir.hold import Holder
from migrate.workdir.records import Numbers


@dataclass(frozen=True)
class Gathered:
    """What a workdir knows, in the order in which it is shown."""

    as_of: datetime | None
    """When anything was done there last; nothing here knows a later clock."""
    numbers: Summary
    found: Sequence[Found]
    """The states that hold."""
    kept: Numbers
    """What planning came to."""
    days: days.Days
    undated: int
    """Rows of the source without a time that can be read."""
    before: int
    """Rows of which an earlier version of ours kept no day."""
    names: names.Names
    properties: shares.Properties
    people: clusters.People
    reasons: Sequence[rejected.Reason]
    refusals: Sequence[parked.Refusal]
    zones: zones.Zones
    bytes: int
    """Of planned payloads."""
    requests: int
    """About how many requests the plan takes."""
    sending: sending.Sending
    nights: Sequence[Entry]
    verified: verified.Verified | None
    how: provenance.Provenance
    is_whole: bool
    """Whether ids are shown whole."""


def gather(checkpoint: Checkpoint, *, is_whole: bool = False, working: Holder | None = None) -> Gathered:
    """Return all there is to show of a workdir; `working`: the other process that works there.

    Ids of people are shortened, unless they are wanted `is_whole`.
    """
    checkpoint = copy(checkpoint)
    checkpoint.workdir = checkpoint.workdir.absolute()
    facts, look, found_there = checkpoint.facts(), looks.look(checkpoint), verified.last(checkpoint)
    minutes = sendings.minutes(checkpoint)
    as_of = max(_moments(checkpoint, facts, minutes, found_there), default=None)
    numbers = summary(checkpoint, as_of, is_whole=is_whole)
    found = states(checkpoint, numbers, working)
    numbers = with_states(numbers, found)
    by_day = days.gather(checkpoint, look, found_there)
    return Gathered(
        as_of=as_of,
        numbers=numbers,
        found=found,
        kept=checkpoint.numbers(),
        days=by_day,
        undated=look.undated if look else 0,
        before=look.before if look else 0,
        names=names.gather(checkpoint, by_day),
        properties=shares.gather(look, by_day.bins),
        people=clusters.gather(numbers.identity),
        reasons=rejected.gather(checkpoint, numbers, is_whole=is_whole),
        refusals=parked.refusals(checkpoint),
        zones=zones.gather(facts, by_day),
        bytes=checkpoint.extent()[1],
        requests=estimates.requests(checkpoint, estimates.EVENTS),
        sending=sending.gather(minutes),
        nights=entries(checkpoint, counts(numbers)),
        verified=found_there,
        how=provenance.gather(checkpoint, facts),
        is_whole=is_whole,
    )


def _moments(
    checkpoint: Checkpoint,
    facts: Mapping[str, Any],
    minutes: Sequence[sendings.Minute],
    found: verified.Verified | None,
) -> Iterator[datetime]:
    """Yield when something was done in a workdir, as far as it is noted there."""
    texts = [line for (line,) in checkpoint.query("SELECT max(ended) FROM rounds")]
    texts += (
        checkpoint.query(
            "SELECT json_extract(line, '$.begun'), json_extract(line, '$.ended') FROM history ORDER BY id DESC LIMIT 1"
        ).fetchone()
        or ()
    )
    texts += [one.begun for one in minutes[-1:]]
    texts += [found.at] if found else []
    texts += [(facts.get(f"{phase}_stop") or {}).get("at") for phase in ("planning", "sending")]
    for text in texts:
        if text:
            moment = datetime.fromisoformat(text)
            yield moment if moment.tzinfo else moment.replace(tzinfo=UTC)
