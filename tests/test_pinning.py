"""A workdir is bound to what it was planned with; under other settings, or another mapping, nothing new is planned."""

from dataclasses import replace

import pytest
from test_settings import CHOSEN, USUAL
from workdirs import events, planned

from migrate import VERSION
from migrate.errors import Refused
from migrate.pinning import check_unsent, pin_settings
from migrate.report.numbers import summary
from migrate.rules.declared import NO_RULES, read
from migrate.workdir import rounds


@pytest.mark.parametrize(("other", "name", "is_other_import"), CHOSEN)
def test_a_workdir_with_events_is_bound_to_its_choices(tmp_path, other, name, is_other_import):
    """With others it is refused, by the option's name; without an event it begins anew with them."""
    del is_other_import
    with planned(tmp_path, events(1)) as checkpoint:
        pin_settings(checkpoint, USUAL, has_news=True)
        before = checkpoint.facts()
        with pytest.raises(Refused) as refused:
            pin_settings(checkpoint, other, has_news=True)
        said = str(refused.value)
        if name == "platform":
            assert said == (
                f"{tmp_path}: a workdir of posthog, found amplitude; name posthog, or plan into another --workdir"
            )
        else:
            assert said.startswith(f"{name}: this workdir was planned with ")
            assert said.endswith("; use what it was planned with, or plan into another --workdir")
        pin_settings(checkpoint, USUAL, has_news=True)
        assert checkpoint.facts() == before
    (tmp_path / "empty").mkdir()
    with planned(tmp_path / "empty", events(0)) as checkpoint:
        pin_settings(checkpoint, USUAL, has_news=True)
        pin_settings(checkpoint, other, has_news=True)
        facts = checkpoint.facts()
        assert {key: facts[key] for key in other.facts()} == other.facts()
        assert checkpoint.inputs() == {}


def test_what_it_was_planned_with_is_said(tmp_path):
    """And what was found; nothing is a value, too."""
    with planned(tmp_path, events(1)) as checkpoint:
        pin_settings(checkpoint, replace(USUAL, limit=3), has_news=True)
        with pytest.raises(Refused) as refused:
            pin_settings(checkpoint, USUAL, has_news=True)
    assert str(refused.value) == (
        "--limit: this workdir was planned with 3, found nothing; use what it was planned with, or plan into another "
        "--workdir"
    )


@pytest.mark.parametrize("is_told", [True, False])
def test_a_trial_is_in_a_sandbox_or_for_good(tmp_path, is_told):
    """A workdir is of one of them."""
    told, kinds = replace(USUAL, limit=3), ["for a trial in a sandbox", "for a trial that is sent for good"]
    first, second = [told, told.untold()] if is_told else [told.untold(), told]
    before, after = kinds if is_told else reversed(kinds)
    with planned(tmp_path, events(1)) as checkpoint:
        pin_settings(checkpoint, first, has_news=True)
        with pytest.raises(Refused) as refused:
            pin_settings(checkpoint, second, has_news=True)
    assert str(refused.value) == (
        f"--host: this workdir was planned {before}, found one {after}; use what it was planned with, or plan into "
        "another --workdir"
    )


def test_a_mapping_of_another_version_plans_nothing_new(tmp_path):
    """The same rows may become other events: refused, with the way on, but for a workdir without news."""
    with planned(tmp_path, events(3, days=1)) as checkpoint:
        pin_settings(checkpoint, USUAL, has_news=True)
        version = checkpoint.facts()["identity_version"]
        checkpoint.note(identity_version=version - 1, begun_with="0.1")
        pin_settings(checkpoint, USUAL, has_news=False)
        with pytest.raises(Refused) as refused:
            pin_settings(checkpoint, USUAL, has_news=True)
        assert str(refused.value) == (
            f"{tmp_path}: begun by migrate 0.1 with identity version {version - 1} of the posthog mapping, this is "
            f"migrate {VERSION} with version {version}, under which the same rows may become other events, so nothing "
            f"new is planned here; finish with migrate 0.1, or send what is planned (migrate apply {tmp_path}), then "
            "begin a new --workdir with a copy of this one's people.sqlite in it and --since 2024-04-04, the day after "
            "the last of which something was sent then (older rows that come late are left out)"
        )
        checkpoint.note(people_dir="/shared")
        with pytest.raises(
            Refused, match="begin a new --workdir with --people /shared and --since 2024-04-04"
        ):
            pin_settings(checkpoint, USUAL, has_news=True)


def test_other_properties_are_noted_once(tmp_path):
    """Each payload version that something new was planned with, in order."""
    with planned(tmp_path, events(1)) as checkpoint:
        pin_settings(checkpoint, USUAL, has_news=True)
        (version,) = checkpoint.facts()["payload_versions"]
        checkpoint.note(payload_versions=[version - 1])
        pin_settings(checkpoint, USUAL, has_news=False)
        assert checkpoint.facts()["payload_versions"] == [version - 1]
        for _ in range(2):
            pin_settings(checkpoint, USUAL, has_news=True)
            assert checkpoint.facts()["payload_versions"] == [version - 1, version]


def settle(checkpoint):
    """Note that all that is planned is sent."""
    for day in checkpoint.by_day():
        for round_ in rounds.of_day(checkpoint, day):
            rounds.settle(
                checkpoint,
                [
                    rounds.Outcome(
                        round_,
                        rounds.Settled(accepted=sum(part.events for part in round_.parts)),
                        is_last=True,
                    )
                ],
            )


@pytest.mark.parametrize("has_news", [True, False])
@pytest.mark.parametrize(
    "said", [{"drop": ["a"]}, {"keep_only": ["a"]}, {"shorten_ip": True}, {"never_import": ["u"]}]
)
def test_what_is_not_sent_yet_does_not_go_against_a_new_rule(tmp_path, said, has_news):
    """Whether anything is new or not; what only adds to properties is no reason to stop, nor is a file not named."""
    with planned(tmp_path, events(2)) as checkpoint:
        pin_settings(checkpoint, ruled(tags={"a": 1}), has_news=True)
        before = checkpoint.facts()
        with pytest.raises(Refused) as refused:
            pin_settings(checkpoint, ruled(tags={"a": 1}, **said), has_news=has_news)
        assert "[rules]: 2 events of this workdir not sent yet, planned under other rules (" in str(
            refused.value
        )
        assert f"migrate apply {tmp_path} --config /dev/null" in str(refused.value)
        assert checkpoint.facts() == before
        pin_settings(checkpoint, ruled(tags={"a": 2}), has_news=has_news)
        check_unsent(checkpoint, NO_RULES, 2)
        settle(checkpoint)
        pin_settings(checkpoint, ruled(tags={"a": 2}, **said), has_news=False)


def ruled(**said):
    """The usual settings with these rules."""
    return replace(USUAL, rules=read(said, "f"))


def test_other_rules_on_events_and_ids_refuse_what_is_new(tmp_path):
    """They say the road; what is planned can be sent."""
    with planned(tmp_path, events(1)) as checkpoint:
        pin_settings(checkpoint, ruled(drop_events=["a"]), has_news=True)
        before = checkpoint.facts()
        for other in (USUAL, ruled(drop_events=["b"]), ruled(drop_events=["a"], never_link=["c"])):
            with pytest.raises(Refused) as refused:
                pin_settings(checkpoint, other, has_news=True)
            assert str(refused.value) == (
                "[rules]: this workdir was planned with other rules on events and ids (event_names, drop_events, "
                "only_events, never_import, never_link), under which the same rows become other events, so nothing "
                f"new is planned here; use what it was planned with, or send what is planned (migrate apply {tmp_path} "
                "--config /dev/null --host …), then begin a new --workdir with a copy of this one's people.sqlite in "
                "it and --since 2024-04-04, the day after the last that is planned here"
            )
            settle(checkpoint)
            pin_settings(checkpoint, other, has_news=False)
        assert checkpoint.facts() == before
        pin_settings(checkpoint, ruled(drop_events=["a"]), has_news=True)


def test_other_rules_on_properties_go_on_and_are_noted(tmp_path):
    """None at all, where there were some, is a file that was not named."""
    with planned(tmp_path, events(1)) as checkpoint:
        pin_settings(checkpoint, USUAL, has_news=True)
        settle(checkpoint)
        pin_settings(checkpoint, ruled(drop=["a"]), has_news=True)
        pin_settings(checkpoint, ruled(drop=["a"]), has_news=True)
        (note,) = summary(checkpoint).notes
        assert note == (
            "planned with 2 sets of rules on properties, one after another: the same events, some of them with other "
            "properties; what was planned before a rule was added stays as it was"
        )
        with pytest.raises(Refused) as refused:
            pin_settings(checkpoint, USUAL, has_news=True)
        assert str(refused.value) == (
            "[rules]: this workdir was planned with rules on properties, found none, so nothing new is planned here; "
            "name the configuration file that has them with --config, or begin a new --workdir"
        )
        pin_settings(checkpoint, USUAL, has_news=False)
