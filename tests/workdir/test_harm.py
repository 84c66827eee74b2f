"""A harmed file of the plan is told with its day, its sources, and the command that mends it."""

import pytest
from workdirs import events, planned

from migrate.errors import Refused
from migrate.workdir import rounds
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.harm import COST, HALF, explained
from migrate.workdir.records import BEFORE, Numbers, Settled
from migrate.workdir.seals import Harmed, Kept

WHY = "other bytes between 0 and 65,536"


def with_states(checkpoint, *names):
    """Note the states of inputs that are planned together; return their file."""
    checkpoint.register(names)
    first, *beside = (checkpoint.inputs()[name] for name in names)
    path = checkpoint.workdir / "states" / f"{first.id:08d}.states"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"states")
    checkpoint.note_planned(first, Numbers(), [], beside=beside, states=Kept.of(path))
    return path


def test_a_harmed_day_is_told_with_its_source_and_what_waits_for_it(tmp_path):
    """Which input it is of, that no later day is sent, and how to plan it anew."""
    with (
        planned(tmp_path, events(9), "/in/a.jsonl"),
        planned(tmp_path, events(9), "/in/b.jsonl") as checkpoint,
    ):
        _, part = (path for path in sorted(checkpoint.part_paths()))
        found = explained(checkpoint, Harmed(tmp_path / part, WHY))
    assert str(found) == (
        f"{tmp_path / part}: harmed since it was planned, {WHY}; nothing of this day (2024-04-03) or a later one is "
        "sent any more; it is of /in/b.jsonl: plan it anew, with --again /in/b.jsonl"
    )


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        pytest.param(3, "/in/1, /in/2, /in/3", id="all"),
        pytest.param(4, "/in/1, /in/2, /in/3, …", id="more"),
    ],
)
def test_of_many_sources_three_are_named(tmp_path, count, shown):
    """What was planned together is planned anew together, so one is enough for the command."""
    with Checkpoint.open(tmp_path, create=True) as checkpoint:
        path = with_states(checkpoint, *(f"/in/{number}" for number in range(1, count + 1)))
        found = explained(checkpoint, Harmed(path, WHY))
    assert str(found) == (
        f"{path}: harmed since it was planned, {WHY}; it is of {shown}: plan it anew, with --again /in/1"
    )


def test_what_all_sources_say_together_needs_a_new_workdir(tmp_path):
    """No source alone would bring it back."""
    with Checkpoint.open(tmp_path, create=True) as checkpoint:
        path = with_states(checkpoint, "(persons)")
        found = explained(checkpoint, Harmed(path, WHY))
    assert str(found) == (
        f"{path}: harmed since it was planned, {WHY}; it is of what all sources together say of people: plan them into "
        "a new --workdir: what was sent already collapses with what is sent again"
    )


def test_a_file_of_no_source_is_told_as_it_was_found(tmp_path):
    """Nothing is made up of a file that the checkpoint does not know."""
    with Checkpoint.open(tmp_path, create=True) as checkpoint:
        error = Harmed(tmp_path / "people.sqlite", WHY)
        assert explained(checkpoint, error) is error
    assert isinstance(error, Refused)


def test_of_a_file_that_was_sent_the_ways_are_said_that_there_are(tmp_path):
    """Its source, as long as it stands; that it may be sent again, where events of its day wait for it."""
    planned(tmp_path, events(9)).close()
    with planned(tmp_path, events(9), "b.jsonl", leads=True) as checkpoint:
        (day,) = rounds.days(checkpoint)
        first, second = rounds.of_day(checkpoint, day)
        error = Harmed(tmp_path / first.parts[0].path, WHY)

        def said():
            return str(explained(checkpoint, error)).removeprefix(
                f"{error.path}: harmed since it was sent, {WHY}; it is "
            )

        def settled(one):
            rounds.settle(checkpoint, [rounds.Outcome(one, Settled(accepted=1), is_last=True)])
            return said()

        def named(name):
            with checkpoint.change() as db:
                db.execute("UPDATE inputs SET name = ? WHERE id = 2", (name,))
            return said()

        assert str(explained(checkpoint, error)).startswith(f"{error.path}: harmed since it was planned, ")
        half = rounds.Outcome(first, Settled(accepted=4), is_last=False)
        rounds.settle(checkpoint, [half])
        assert said().endswith(f"'migrate apply {tmp_path} --resend-lost' {COST}; {HALF}")
        rounds.settle(checkpoint, [half])
        wait = f", and tells which events of {day} are sent already"
        wait += "; nothing of this day or a later one is sent any more: "
        resend = f"'migrate apply {tmp_path} --resend-lost' {COST}"
        assert settled(first) == (
            f"of b.jsonl{wait}plan it anew, with --again b.jsonl; where that is not there, or not "
            f"what it was, {resend}"
        )
        assert named(f"b.jsonl{BEFORE}1)") == f"of b.jsonl{wait}{resend}"
        assert named("(persons)") == f"of what all sources together say of people{wait}{resend}"
        assert settled(second) == (
            "of what all sources together say of people: put it back from a copy of the workdir; "
            "what was sent stays in PostHog"
        )
        assert (
            named("b.jsonl")
            == "of b.jsonl: plan it anew, with --again b.jsonl; what was sent stays in PostHog"
        )
