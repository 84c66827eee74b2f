"""What several screens show alike: a line, and the lines on rows, on people, and on what is to be known beside them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from migrate.report.numbers import Cluster, Identity, RowCounts, Summary
from migrate.screen import counted
from migrate.workdir.records import Change
from migrate.workdir.renewal import FILES

BOLD: Final = "bold"
WARNING: Final = "yellow"
_MOST_NAMES: Final = 15
_FEW_NAMES: Final = 3
_ID_LENGTH: Final = 40
_LABEL: Final = 9
"""Letters of the column of labels."""
LOSSES: Final = {
    "exception_lane": "PostHog takes $exception by a lane of its own, not by that of history; what billing and alerts "
    "make of old ones is not known",
    "ai_lane": "PostHog takes those $ai_ events that it lists by a lane of their own, not by that of history",
    "heatmap_lane": "PostHog takes $$heatmap by a lane of its own; these become heatmaps, and no events",
    "heatmap_side_effect": "PostHog takes $heatmap_data out of these, or reads their $prev_pageview_pathname, and "
    "makes an extra $$heatmap of it, another one on every retry",
    "event_name_over_200_bytes": "names of up to 200 characters, but more bytes: PostHog's capture v0 takes them, v1 "
    "refuses them, and they are parked",
    "distinct_id_over_200_bytes": "ids of up to 200 characters, but more bytes: PostHog's capture v0 takes them, v1 "
    "refuses them, and they are parked",
    "large_event": "899 to 999 kB as PostHog stores them: its capture v0 takes them, v1 refuses them, and they are "
    "parked",
    "long_decimal": "numbers of 16 digits or more: PostHog's capture v0 may write them with another last digit, v1 "
    "keeps them",
}
"""Warning → what PostHog makes of events that it takes (`payload.losses`), to be known before they are sent."""
_WHY: Final = LOSSES | {
    "younger_than_48h": "PostHog asks that history be at least 48 hours old",
    "before_1970": "check the timestamps: these events are from before 1970",
    "junk_distinct_id": "placeholder ids many people share; sent without a person profile",
    "more_than_five_group_types": "PostHog keeps five group types a project and ignores the others",
    "unmergeable_id": "PostHog refuses to merge these ids; the events arrive, the people stay apart",
    "session_id_not_uuid": "PostHog's session analytics ignore these sessions",
    "set_not_object": "PostHog ignores a $set that is no object",
    "set_once_not_object": "PostHog ignores a $set_once that is no object",
    "groups_not_object": "PostHog ignores $groups that are no object",
    "group_set_not_object": "PostHog ignores a $group_set that is no object",
    "process_person_profile_not_boolean": "PostHog takes what is neither true nor false for true, and makes a person",
    "no_alias": "without an alias these merge nothing",
    "no_group": "without $group_type and $group_key these tell of no group",
    "no_current_url": "web analytics needs the $current_url of a $pageview",
    "no_screen_name": "PostHog shows a $screen by its $screen_name",
    "no_survey_id": "PostHog counts no survey event without $survey_id",
    "no_survey_response": "survey sent without an answer: no $survey_response",
    "survey_questions_not_list": "PostHog reads $survey_questions as a list of objects with id and question",
    "no_exception_list": "error tracking needs $exception_list, each with type and value",
    "no_ai_trace_id": "AI observability needs $ai_trace_id, of letters, digits and -_~.@()!':|",
    "no_ai_model": "PostHog works the costs out of $ai_model, and lists calls by it",
    "profile_time_unread": "times of persons that cannot be read; what these rows say of persons is not sent",
    "session_time_unread": "starts of sessions that cannot be read; the session is that of the event's day",
    "several_group_values": "PostHog keeps one group per type and event: the first was taken",
    "source_timezone_disagrees": "rows that carry a UTC time beside their own say another zone than was given",
    "profile_of_no_one": "person properties of placeholder ids many people share; not sent",
    "original_timestamp_for_timestamp": "the device's own clock, since there is no other time",
    "client_event_time_for_event_time": "the device's own clock, since there is no other time",
    "float_like_id": "ids like 123.0, which may be the 123 of another file; they are kept as they are",
    "json_id": "ids that are lists or objects, which are nobody's as a rule; they are kept as they are",
    "not_found": "looked up in another file of the export, and not there; what it would say is left out",
    "personal_id": "a value that a rule leaves out or hashes is a distinct_id or a group's key, which is sent as it is",
    "damaged_file": "could not be read to the end; what was readable is planned",
}
"""Warning → what it means, for the user."""
_CHANGED: Final = {
    "big_integer": "integers beyond 2^53, sent as text so that no digit is lost",
    "duplicate_header": "names that stand twice in a header, numbered",
    "empty_row": "rows without any value, passed over",
    "invalid_utf8": "bytes that are no text, replaced by U+FFFD",
    "lone_surrogate": "halves of a character, replaced by U+FFFD",
    "non_finite_number": "NaN and infinity, left out",
    "nul_character": "NUL, replaced by U+FFFD",
    "null_element": "elements of unfolded records that are null, and no rows",
    "null_cell": "cells that hold a word for nothing, such as \\N",
    "null_text": "ids that are a word for nothing, and nobody's",
    "process_person_profile_removed": "PostHog drops merges that say no person is to be made",
    "rule:constants": "added where there was none",
    "rule:drop": "left out",
    "rule:drop_anywhere": "left out",
    "rule:groups": "groups left out, whose keys are values to be left out or hashed",
    "rule:hash": "hashed",
    "rule:keep_only": "left out, not among those to keep",
    "rule:never_link": "ids of others left out of events that would make them one",
    "rule:rename": "under another name",
    "rule:rename_taken": "left out, as there is one of that name already",
    "rule:shorten_ip": "shortened, or left out where they are no address",
    "rule:tags": "added to every event",
}
"""What was changed in the source's values → how."""
REPLANNED: Final = {
    Change.REPLACED: "changed, not sent before: sent as now found",
    Change.KEPT: "changed, sent before: what was sent stays in PostHog",
    Change.RESENT: "changed, sent before: sent again, so that PostHog keeps the later version",
    Change.VANISHED: "no longer there, not sent before: not sent any more",
    Change.VANISHED_SENT: "no longer there, sent before: what was sent stays in PostHog",
    Change.UNKNOWN: "sent before, in files of the plan that are lost or harmed: not known whether they changed",
}
_OF_SENT: Final = {Change.KEPT, Change.VANISHED_SENT, Change.UNKNOWN}
ACCEPTED: Final = (
    "accepted: acknowledged by PostHog's endpoint; not yet stored, and what it drops later it does not say"
)
"""The legend of every screen that counts accepted events."""

Examples = Mapping[str, Sequence[str]]
"""Reason → where the first rows of it are."""


class Line(NamedTuple):
    """A line of a screen, as it is, without markup; a style is a colour or a weight, where there are any."""

    text: str
    style: str = ""
    hang: int = 0
    """Under which letter of it it goes on where it is longer than the screen."""
    command: str = ""
    """What in it can be pasted, and so is never broken."""
    bar: float = 0.0
    """How much of the longest bar the bar is that it ends with."""


def labelled(label: str, text: str, style: str = "", *, command: str = "") -> Line:
    """Return a line whose text, and the command it ends with, stand beside a label, as on all screens.

    It is one line: a line break in a name is shown as its escape.
    """
    text = text.replace("\n", "\\n")
    return Line(f"{label:<{_LABEL}}{text}{command}", style, _LABEL, command)


def rows(counts: RowCounts, examples: Examples) -> Iterator[Line]:
    """Yield what became of the rows, by reason, most first."""
    filtered, rejected = sum(counts.filtered.values()), sum(counts.rejected.values())
    yield labelled(
        "rows",
        f"{counts.read:,} read: {counts.mapped:,} mapped, {filtered:,} filtered, {rejected:,} rejected",
    )
    width = len(f"{counts.read:,}")
    for kind, reasons in (("filtered", counts.filtered), ("rejected", counts.rejected)):
        for reason, count in sorted(reasons.items(), key=lambda item: -item[1]):
            yield labelled("", f"{count:>{width},} {kind}: {reason}{places(examples.get(reason, []))}")


def read_again(numbers: Summary) -> Iterator[Line]:
    """Yield what became of rejected rows, and how many rows read count twice; nothing where none was."""
    beside = {
        "mended": numbers.mended_rejects,
        "dismissed": numbers.dismissed_rejects,
        "read again since": numbers.rejects_read_again,
    }
    if told := [f"{count:,} {what}" for what, count in beside.items() if count]:
        still = sum(numbers.open_rejects.values())
        yield labelled("", f"of the rejected: {', '.join([f'{still:,} open', *told])}")
    if again := numbers.rows_read_again:
        of_what = "of mended copies, and of files as they were before they were planned anew"
        yield labelled("", f"{again:,} of the read: {of_what}")


def people(identity: Identity | None) -> Iterator[Line]:
    """Yield who is who: how many people, which ids they have, who could not be made one."""
    if not identity or not (identity["links"] or identity["resolved"] or identity["refused"]):
        return
    yield labelled(
        "people",
        f"{identity['people']:,} known: {counted(identity['links'], 'link')} between ids, "
        f"{counted(identity['merges'], 'merge')} planned, {counted(identity['resolved'], 'id')} resolved by the "
        "source itself",
    )
    if identity["clusters"]:
        sizes = ", ".join(f"{count:,} of {size}" for size, count in identity["clusters"].items())
        total = sum(identity["clusters"].values())
        yield labelled("clusters", f"{total:,} of ids that belong together: {sizes} ids")
    yield from map(_cluster, identity["largest"])
    if identity["conflicts"]:
        yield labelled(
            "conflict",
            f"{identity['conflicts']:,} of the clusters with several known people, who stay apart; an anonymous id "
            "went to the first it was seen with",
            WARNING,
        )
    yield from map(_cluster, identity["conflicting"])
    if identity["anonymous"]:
        count = identity["anonymous"]
        left = "left as it is" if count == 1 else "left as they are"
        yield labelled("", f"{counted(count, 'cluster')} in which nobody is known, {left}")
    for reason, count in identity["refused"].items():
        yield labelled("refused", f"{counted(count, 'link')} between ids, not used: {reason}")


def notes(numbers: Summary) -> Iterator[Line]:
    """Yield what was changed, what is left out, what was passed over."""
    yield from changed(numbers.repairs)
    if dropped := numbers.dropped_columns:
        some = ", ".join(list(dropped)[:_MOST_NAMES]) + (", …" if len(dropped) > _MOST_NAMES else "")
        yield labelled("dropped", f"{counted(len(dropped), 'column')}, not carried over: {some}")
    yield from passed_over(numbers.skipped_files, numbers.skipped_names)


def changed(counts: Mapping[str, int]) -> Iterator[Line]:
    """Yield what was changed in values, by name, and how."""
    for reason, count in counts.items():
        why = f": {found}" if (found := change(reason)) else ""
        yield labelled("changed", f"{counted(count, 'value')}, {reason}{why}")


def replanned(counts: Mapping[str, int]) -> Iterator[Line]:
    """Yield how many files were planned anew, and what of their events changed; nothing where none was."""
    if not (files := counts.get(FILES, 0)):
        return
    yield labelled("anew", f"{counted(files, 'file')}, planned once more, with other content")
    for change, words in REPLANNED.items():
        if count := counts.get(change, 0):
            yield labelled("", f"{counted(count, 'event')} {words}", WARNING if change in _OF_SENT else "")


def lost(counts: Mapping[str, int]) -> Iterator[Line]:
    """Yield how many events are in files that were sent and are given up; nothing where none is."""
    if counts:
        yield labelled("lost", said_of_lost(counts), WARNING)


def said_of_lost(counts: Mapping[str, int]) -> str:
    """Return the same in words."""
    unsent = counts.get("unsent", 0)
    more = (
        f"; {counted(unsent, 'event')} more of them went no more, but for those planned again"
        if unsent
        else ""
    )
    return (
        f"{counted(counts['files'], 'file')} of the plan, with {counted(counts['events'], 'event')} that were sent: "
        f"those planned again were sent again (--resend-lost); PostHog may have fewer than are accepted{more}"
    )


def warnings(numbers: Summary, examples: Examples) -> Iterator[Line]:
    """Yield what to be aware of: what speaks against sending, what is not planned."""
    yield from warned(numbers.warnings, examples)
    for words, count in numbers.accepted_with_warning.items():
        yield labelled("warning", f"{counted(count, 'event')} accepted, and PostHog says: {words}", WARNING)
    for name in numbers.damaged_files[:_MOST_NAMES]:
        yield labelled("", name, WARNING)
    for name, why in list(numbers.set_aside.items())[:_MOST_NAMES]:
        yield labelled("aside", f"not planned: {name}: {why}", WARNING)
    for note in numbers.notes:
        yield labelled("note", note)


def warned(counts: Mapping[str, int], examples: Examples) -> Iterator[Line]:
    """Yield what to be aware of in rows and events, by name, and what it means."""
    for reason, count in counts.items():
        why = f": {found}" if (found := meaning(reason)) else ""
        yield labelled("warning", f"{count:,} {reason}{why}{places(examples.get(reason, []))}", WARNING)


def meaning(warning: str) -> str:
    """Return what a warning means; nothing where its name says it."""
    return _WHY.get(warning) or _WHY.get(warning.partition(".")[0], "")


def change(repair: str) -> str:
    """Return how a value was changed; nothing where the name of the change says it."""
    return _CHANGED.get(repair, "")


def losses(counts: Mapping[str, int]) -> Iterator[Line]:
    """Yield those warnings that say what PostHog makes of events which it takes, and what it means."""
    yield from warned({reason: count for reason, count in counts.items() if reason in LOSSES}, {})


def passed_over(counts: Mapping[str, int], every: Mapping[str, Sequence[str]]) -> Iterator[Line]:
    """Yield how many files are not read, by reason, and the names of the first; `every` has all that are known."""
    for reason, count in counts.items():
        names = every.get(reason, [])
        more = ", …" if count > len(names[:_FEW_NAMES]) else ""
        some = f"  ({', '.join(names[:_FEW_NAMES])}{more})" if names else ""
        yield labelled("skipped", f"{counted(count, 'file')}, not read: {reason}{some}")


def places(examples: Sequence[str]) -> str:
    """Return where rows are, in brackets; nothing where it is not known."""
    return f"  (at {', '.join(examples)})" if examples else ""


def _cluster(cluster: Cluster) -> Line:
    ids = ", ".join(name[:_ID_LENGTH] for name in cluster["ids"])
    more = ", …" if cluster["size"] > len(cluster["ids"]) else ""
    return labelled("", f"{cluster['size']:,} ids: {ids}{more}")
