"""What PostHog's own events must hold to mean what their names say: an event that lacks it arrives, and shows nowhere.

PostHog takes such an event without a word; error tracking, surveys and AI observability then pass it over. It is said,
and not refused. Sources: https://posthog.com/docs/api/capture, /docs/error-tracking/installation/manual,
/docs/surveys/implementing-custom-surveys and /docs/llm-analytics/manual-capture, read 2026-11-29;
posthog-ingestion.md §3.7 and §3.8.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec
import polars as pl

Bag = Mapping[str, msgspec.Raw]

_NAMED: Final = {
    "$pageview": ("$current_url", "no_current_url"),
    "$screen": ("$screen_name", "no_screen_name"),
}
"""Events as common as rows, of which one member is looked for in the text of the payload."""
_TRACE: Final = re.compile(r"[A-Za-z0-9\-_~.@()!':|]+\Z")
"""What an `$ai_trace_id` may be written with."""
_ANSWER: Final = "$survey_response"
_PROFILE: Final = "$process_person_profile"
_BOOLEANS: Final = frozenset((b"true", b"false"))


class _Event(msgspec.Struct):
    """A payload, as far as it is looked into."""

    event: str
    properties: dict[str, msgspec.Raw]


_event: Final = msgspec.json.Decoder(_Event).decode


def lacking(frame: pl.DataFrame) -> Counter[str]:
    """Return what finished events lack, and how many; `frame` needs `event` and `payload`."""
    found: Counter[str] = Counter()
    names = pl.col("event")
    for name, (member, reason) in _NAMED.items():
        texts = frame.filter(names == name)["payload"]
        found[reason] = int((~texts.str.contains(f'"{member}":', literal=True)).sum())
    for payload in frame.filter(names.is_in([*_RULES]))["payload"]:
        one = _event(payload)
        found.update(_RULES[one.event](one.properties))
    odd = pl.col("payload").str.contains(rf'"\{_PROFILE}":[^tf]')
    for payload in frame.filter(odd)["payload"]:
        found["process_person_profile_not_boolean"] += _is_odd(_event(payload).properties.get(_PROFILE))
    return +found


def lacks(payload: str) -> Iterator[str]:
    """Yield what one finished event lacks, as `lacking` counts it."""
    one = _event(payload)
    member, reason = _NAMED.get(one.event, ("", ""))
    if reason and member not in one.properties:
        yield reason
    if one.event in _RULES:
        yield from _RULES[one.event](one.properties)
    if _is_odd(one.properties.get(_PROFILE)):
        yield "process_person_profile_not_boolean"


def _is_odd(value: msgspec.Raw | None) -> bool:
    """Return whether this is there and is neither true nor false: PostHog takes it for true."""
    return value is not None and bytes(value) not in _BOOLEANS


def _value(bag: Bag, name: str) -> Any:  # noqa: ANN401 - any JSON
    """Return what a member holds, None where there is none."""
    return msgspec.json.decode(bag[name]) if name in bag else None


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _alias(bag: Bag) -> Iterator[str]:
    if not _is_text(_value(bag, "alias")):
        yield "no_alias"


def _group(bag: Bag) -> Iterator[str]:
    if not all(_is_text(_value(bag, name)) for name in ("$group_type", "$group_key")):
        yield "no_group"
    if not isinstance(_value(bag, "$group_set"), dict | None):
        yield "group_set_not_object"


def _survey(bag: Bag) -> Iterator[str]:
    if not _is_text(_value(bag, "$survey_id")):
        yield "no_survey_id"


def _answered(bag: Bag) -> Iterator[str]:
    yield from _survey(bag)
    if not any(name.startswith(_ANSWER) for name in bag):
        yield "no_survey_response"
    questions = _value(bag, "$survey_questions")
    if questions is not None and not (isinstance(questions, list) and all(map(_is_question, questions))):
        yield "survey_questions_not_list"


def _is_question(one: object) -> bool:
    return isinstance(one, dict) and any(_is_text(one.get(name)) for name in ("id", "question"))


def _exception(bag: Bag) -> Iterator[str]:
    """Each exception of the list needs type and message; where it has a stack, that is an object with frames."""
    listed = _value(bag, "$exception_list")
    if not isinstance(listed, list) or not listed or not all(map(_is_exception, listed)):
        yield "no_exception_list"


def _is_exception(one: object) -> bool:
    if not isinstance(one, dict) or not (_is_text(one.get("type")) and isinstance(one.get("value"), str)):
        return False
    stack = one.get("stacktrace")
    return stack is None or (isinstance(stack, dict) and isinstance(stack.get("frames", []), list))


def _traced(bag: Bag) -> Iterator[str]:
    trace = _value(bag, "$ai_trace_id")
    if not isinstance(trace, str) or not _TRACE.match(trace):
        yield "no_ai_trace_id"


def _called(bag: Bag) -> Iterator[str]:
    yield from _traced(bag)
    if not _is_text(_value(bag, "$ai_model")):
        yield "no_ai_model"


_RULES: Final[Mapping[str, Callable[[Bag], Iterator[str]]]] = {
    "$create_alias": _alias,
    "$merge_dangerously": _alias,
    "$groupidentify": _group,
    "survey shown": _survey,
    "survey dismissed": _survey,
    "survey sent": _answered,
    "$exception": _exception,
    **dict.fromkeys(("$ai_generation", "$ai_embedding"), _called),
    **dict.fromkeys(("$ai_span", "$ai_trace"), _traced),
}
"""Event → what it lacks."""
