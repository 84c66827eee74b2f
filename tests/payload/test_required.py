"""What PostHog's own events lack is said, and they are sent all the same."""

import json

import pytest
from frames import event_frame, made

STACK = {"type": "raw", "frames": [{"filename": "a.py", "lineno": 3, "function": "f", "platform": "custom"}]}


def warned(event, bag):
    """What is said of one event with these properties, which is sent."""
    done = made(event_frame({"event": event, "distinct_id": "u-1", "properties": json.dumps(bag)}))
    assert (done.rejects.height, done.frame.height) == (0, 1)
    return dict(done.warnings)


@pytest.mark.parametrize(
    ("event", "bag", "reason"),
    [
        pytest.param("$create_alias", {}, "no_alias", id="alias"),
        pytest.param("$merge_dangerously", {"other": "a-1"}, "no_alias", id="alias_elsewhere"),
        pytest.param("$groupidentify", {"$group_type": "company"}, "no_group", id="no_key"),
        pytest.param("$groupidentify", {"$group_type": 1, "$group_key": "a"}, "no_group", id="type_number"),
        pytest.param(
            "$groupidentify",
            {"$group_type": "c", "$group_key": "a", "$group_set": ["x"]},
            "group_set_not_object",
            id="group_set",
        ),
        pytest.param("survey shown", {"survey_id": "s"}, "no_survey_id", id="survey_shown"),
        pytest.param("survey sent", {"$survey_response": "good"}, "no_survey_id", id="survey_without_id"),
        pytest.param("survey sent", {"$survey_id": "s"}, "no_survey_response", id="survey_without_answer"),
        pytest.param("$exception", {"message": "boom"}, "no_exception_list", id="exception"),
        pytest.param("$exception", {"$exception_list": []}, "no_exception_list", id="exception_empty"),
        pytest.param("$exception", {"$exception_list": '[{"type":"E"}]'}, "no_exception_list", id="text"),
        pytest.param("$exception", {"$exception_list": [{"type": "E"}]}, "no_exception_list", id="no_value"),
        pytest.param(
            "$exception",
            {"$exception_list": [{"type": "E", "value": "v", "stacktrace": "at f"}]},
            "no_exception_list",
            id="stack_of_text",
        ),
        pytest.param(
            "survey sent",
            {"$survey_id": "s", "$survey_response": "y", "$survey_questions": '[{"id": "q"}]'},
            "survey_questions_not_list",
            id="questions_of_text",
        ),
        pytest.param("$ai_generation", {"$ai_model": "m"}, "no_ai_trace_id", id="generation"),
        pytest.param("$ai_generation", {"$ai_trace_id": "t"}, "no_ai_model", id="generation_of_no_model"),
        pytest.param("$ai_embedding", {"$ai_trace_id": "t", "$ai_model": " "}, "no_ai_model", id="no_model"),
        pytest.param("$ai_span", {"$ai_trace_id": "a b"}, "no_ai_trace_id", id="span_blank"),
        pytest.param("$ai_trace", {"$ai_trace_id": 7}, "no_ai_trace_id", id="trace_number"),
        pytest.param(
            "$ai_embedding", {"$ai_model": "m", "$ai_trace_id": "a\n"}, "no_ai_trace_id", id="embedding_line"
        ),
        pytest.param("$pageview", {"url": "https://a.example"}, "no_current_url", id="pageview"),
        pytest.param("$screen", {"screen": "Home"}, "no_screen_name", id="screen"),
        pytest.param(
            "order", {"$process_person_profile": "false"}, "process_person_profile_not_boolean", id="profile"
        ),
        pytest.param(
            "order", {"$process_person_profile": 0}, "process_person_profile_not_boolean", id="zero"
        ),
    ],
)
def test_what_is_lacking_is_said(event, bag, reason):
    """PostHog takes it without a word and then does nothing with it."""
    assert warned(event, bag) == {reason: 1}


@pytest.mark.parametrize(
    ("event", "bag"),
    [
        pytest.param("$create_alias", {"alias": "a-1"}, id="alias"),
        pytest.param("$groupidentify", {"$group_type": "company", "$group_key": "acme"}, id="group"),
        pytest.param("survey dismissed", {"$survey_id": "s"}, id="dismissed"),
        pytest.param("survey sent", {"$survey_id": "s", "$survey_response_0190": "yes"}, id="answer"),
        pytest.param("$exception", {"$exception_list": [{"type": "E", "value": ""}]}, id="exception"),
        pytest.param(
            "$exception", {"$exception_list": [{"type": "E", "value": "v", "stacktrace": STACK}]}, id="stack"
        ),
        pytest.param(
            "$ai_generation", {"$ai_trace_id": "d9222e05-8708-41b8", "$ai_model": "m"}, id="generation"
        ),
        pytest.param(
            "survey sent",
            {"$survey_id": "s", "$survey_response_q": "y", "$survey_questions": [{"id": "q"}]},
            id="questions",
        ),
        pytest.param("$ai_span", {"$ai_trace_id": "t"}, id="span"),
        pytest.param("$pageview", {"$current_url": "https://a.example"}, id="pageview"),
        pytest.param("$screen", {"$screen_name": "Home"}, id="screen"),
        pytest.param(
            "order", {"$process_person_profile": False, "a": {"$process_person_profile": 1}}, id="deep"
        ),
        pytest.param("order", {"alias": 1, "$ai_trace_id": 1, "$exception_list": 1}, id="another_event"),
    ],
)
def test_what_is_whole_is_not_spoken_of(event, bag):
    """A warning that is said of what is right is read by nobody."""
    assert warned(event, bag) == {}
