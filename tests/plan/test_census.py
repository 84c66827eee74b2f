"""Who is who is planned before the first file, and what is told of persons and groups after the last, each once."""

import json
from datetime import UTC, datetime

import polars as pl
import pytest
from frames import IMPRINT, LATER

from migrate.errors import UsageError
from migrate.kit import schemas
from migrate.kit.declare import Options
from migrate.people.statefiles import Buckets, States
from migrate.people.states import COLUMNS, STATE
from migrate.people.store import People
from migrate.people.touches import Touches
from migrate.plan import census
from migrate.plan.census import Census, Choices
from migrate.plan.executors import Inline
from migrate.plan.gather import Gatherer
from migrate.plan.planner import Planner
from migrate.settings import Settings
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.seals import Kept

NOON = datetime(2024, 4, 3, 12, tzinfo=UTC)
SETTINGS = Settings(platform="segment")
ROWS = (
    {
        "type": "track",
        "event": "seen",
        "messageId": "1",
        "anonymousId": "phone",
        "timestamp": "2024-04-03T10:00:00Z",
    },
    {
        "type": "identify",
        "messageId": "2",
        "anonymousId": "phone",
        "userId": "anna",
        "timestamp": "2024-04-03T11:00:00Z",
        "traits": {"plan": "pro"},
    },
    {
        "type": "group",
        "messageId": "3",
        "userId": "anna",
        "groupId": "acme",
        "timestamp": "2024-04-03T11:00:00Z",
        "traits": {"seats": 2},
    },
)


def known(people, **choices):
    """What is known of people."""
    return Census(people=people, choices=Choices(**choices), options=Options(), imprint=IMPRINT)


@pytest.fixture
def people():
    """People of whom one phone is anna's."""
    with People() as people:
        links = [("linked", "phone", "anna", NOON, "test")]
        people.add(pl.DataFrame(links, schemas.LINK_SCHEMA, orient="row"))
        yield people


def payloads(made):
    """The payloads of what is made."""
    return [json.loads(text) for one in made for text in one.frame["payload"]]


def states(path, *rows):
    """A file of states of persons: whose, when, what."""
    full = [(n, f"p{who}", STATE, time, who, told) for n, (who, time, told) in enumerate(rows)]
    written = States(path)
    written.write(pl.DataFrame(full, {"_row": pl.Int64, **COLUMNS}, orient="row"))
    written.close()
    return Kept.of(path)


def tellings(people, file, tmp_path, end=None):
    """What a file of states tells."""
    with people.transaction() as db:
        touches = Touches(people, db, "(profiles 1)")
        return list(known(people).tellings(Buckets([file], tmp_path / "aside", people), end, LATER, touches))


def test_a_merge_is_an_identify_event_at_its_time(people):
    """With the uuid that it has in any run; the report is there afterwards."""
    found = known(people)
    found.resolve()
    (event,) = payloads(found.merges("(identity 1)", LATER))
    told = event["event"], event["distinct_id"], event["properties"]["$anon_distinct_id"], event["timestamp"]
    assert told == ("$identify", "anna", "phone", "2024-04-03T12:00:00.000000Z")
    assert (found.report.people, found.report.merges) == (1, 1)
    people.keep_planned([])
    assert payloads(found.merges("(identity 1)", LATER)) == [event]


def test_ids_that_are_not_to_be_linked_are_not(people):
    """There is no merge and no report of any."""
    found = known(people, link=False)
    found.resolve()
    assert (list(found.merges("(identity 1)", LATER)), found.report) == ([], None)


def test_states_without_a_time_ask_for_one(people, tmp_path):
    """Where no event tells when history ends."""
    file = states(tmp_path / "s", ("anna", None, '{"a":1}'))
    with pytest.raises(UsageError) as raised:
        tellings(people, file, tmp_path)
    assert str(raised.value) == (
        "--until: missing; the profiles in these files have no time and there are no events to tell when "
        "history ends, so give the time of the export with --until"
    )
    assert people.told(["panna"]) == []
    (event,) = payloads(tellings(people, file, tmp_path, end=NOON))
    assert event["timestamp"] == "2024-04-03T12:00:00.000000Z"


def test_what_posthog_would_refuse_of_a_person_is_a_warning(people, tmp_path):
    """It comes from no row that could be a reject."""
    deep = '{"a":' * 120 + "1" + "}" * 120
    file = states(tmp_path / "s", ("anna", NOON, deep), ("boris", NOON, '{"a":1}'))
    made = tellings(people, file, tmp_path)
    assert [event["distinct_id"] for event in payloads(made)] == ["boris"]
    assert made[0].numbers.warnings == {"not_told.nested_too_deep": 1}


@pytest.fixture
def planned(tmp_path):
    """A workdir in which a file is planned with all that it tells of people, as often as it is asked for."""
    source, workdir = tmp_path / "segment.jsonl", tmp_path / "w"
    source.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    workdir.mkdir()
    with Checkpoint.open(workdir, create=True) as checkpoint, People() as people:

        def plan():
            planner = Planner(workdir=workdir, checkpoint=checkpoint, executor=lambda _: Inline(1))
            todo = planner.todo(SETTINGS.work([str(source)]).jobs)
            found = SETTINGS.census(people)
            gatherer = Gatherer(people=people, harvest=SETTINGS.harvest, workdir=workdir)
            census.link(found, gatherer, planner, todo)
            planner.plan(todo, lambda job: SETTINGS.transform(job, people))
            census.tell(found, planner, None)
            return checkpoint, found

        yield plan


def test_who_is_who_and_what_is_told_are_inputs_of_their_own(planned):
    """What says who is who stands in parts that go first."""
    checkpoint, _ = planned()
    found = {}
    for name, one in checkpoint.inputs().items():
        for part in checkpoint.parts_of(one.id) if name.startswith("(") else ():
            texts = pl.read_parquet(checkpoint.workdir / part.path)["payload"]
            found[name, part.leads] = [json.loads(text)["event"] for text in texts]
    assert found == {("(identity 1)", True): ["$identify"], ("(profiles 1)", False): ["$groupidentify"]}


def test_what_is_planned_of_people_is_not_planned_again(planned):
    """Nor is it worked out, where no file is new: the same inputs and parts are there."""
    checkpoint, first = planned()
    before = [*checkpoint.inputs()], checkpoint.part_paths()
    assert first.report.merges == 1
    _, second = planned()
    assert second.report is None
    assert ([*checkpoint.inputs()], checkpoint.part_paths()) == before


def test_rows_of_what_is_told_go_on_from_frame_to_frame():
    """Each place in what is planned is one event's."""
    frames = [pl.DataFrame({"_row": [1, 2]}), pl.DataFrame({"_row": [1]}), pl.DataFrame({"_row": [1, 2]})]
    found = [frame["_row"].to_list() for frame in census._numbered(iter(frames))]  # noqa: SLF001 - what they are called
    assert found == [[1, 2], [3], [4, 5]]
