"""What of an import there is → a screen: how it is told from all else, and what PostHog offers to delete it."""

import shlex
from collections.abc import Iterator
from typing import Any

from migrate.report.sections import WARNING, Line, labelled
from migrate.screen import counted
from migrate.undoing import Deleted, There

_KEY = '-H "Authorization: Bearer $POSTHOG_PERSONAL_API_KEY"'


def lines(there: There, delete: str) -> Iterator[Line]:
    """Yield the screen; `delete` is the command that deletes people."""
    name = f" ({there.name})" if there.name else ""
    api = f"{there.app_host}/api/projects/{there.project}"
    yield labelled(
        "there",
        f"{counted(there.events, 'event')} of import '{there.import_id}' in project {there.project}{name}, of "
        f"{counted(there.ids, 'id')}",
    )
    if not there.events:
        yield labelled("", "nothing is to be undone")
        return
    if 0 < there.sent < there.events:
        yield labelled(
            "",
            f"{there.sent:,} were sent from here; the others are there twice, or another workdir sent them under the "
            "same name: what follows holds for them, too",
            WARNING,
        )
    yield labelled("told by", there.predicate)
    yield labelled(
        "query",
        "their uuids, in PostHog's SQL editor, 50,000 an answer; of the next ones the last uuid stands behind `>`:",
    )
    yield labelled("", "", command=there.query)
    yield Line("")
    yield Line("PostHog deletes no single events by itself. What there is today:")
    yield labelled(
        "support",
        "ask PostHog's support for a data deletion request of these events: from "
        f"{there.since} to {there.until} (UTC), with the predicate above; in PostHog Cloud they can do that",
    )
    yield labelled(
        "people",
        "of the import alone, with all of their events, once you have typed its name; whoever has an event of another "
        "origin stays, with all of theirs; PostHog deletes events on weekends",
    )
    yield labelled("", "", command=delete)
    if there.unknown:
        yield labelled(
            "",
            f"of {counted(there.unknown, 'event')} it is not known here whose they are, as their files are gone "
            "(--dedup-days, or lost) or they were being sent when it was stopped: people of these alone stay",
            WARNING,
        )
    yield labelled(
        "", "how far PostHog is: ", command=f"curl {_KEY} {shlex.quote(f'{api}/persons/deletion_status/')}"
    )
    yield labelled("project", "all of it, with everything else that is in it, and no way back:")
    yield labelled("", "", command=f"curl -X DELETE {_KEY} {shlex.quote(f'{api}/')}")
    yield labelled(
        "soon",
        "an API that deletes the events whose uuids a query returns is in review at PostHog (September 2026): the "
        "query above is what it takes",
    )
    yield labelled(
        "then",
        "what is planned into a new --workdir has the same uuids: sent again, it stands in the place of what is there",
    )


def deleted(found: Deleted) -> Iterator[Line]:
    """Yield what became of the people."""
    yield labelled(
        "deleted", f"{people(found.people)} with all of their events, which PostHog deletes on a weekend"
    )
    if found.others:
        yield labelled("kept", f"{people(found.others)} with events of another origin, and all of theirs")
    if found.unasked:
        yield labelled(
            "kept", f"{people(found.unasked)} of whom PostHog could not say in time what they have"
        )
    if found.failed:
        yield labelled("kept", f"{people(found.failed)} whom PostHog did not delete; run the same again")


def people(count: int) -> str:
    """Return how many people these are."""
    return f"{count:,} {'person' if count == 1 else 'people'}"


def document(there: There, found: Deleted | None) -> dict[str, Any]:
    """Return the same for `--json`."""
    told = vars(there) | {"predicate": there.predicate, "query": there.query}
    return told | ({} if found is None else {"deleted": vars(found)})
