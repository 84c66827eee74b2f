"""A workdir bound to the settings it is planned with; under others nothing more is planned in it."""

import secrets
import shlex
from collections.abc import Mapping
from datetime import date, timedelta
from itertools import islice
from typing import Any, Final

from migrate import VERSION, witnesses
from migrate.errors import Refused, UsageError
from migrate.kit.declare import Platform
from migrate.own import Own
from migrate.people.schema import PEOPLE_FILE
from migrate.rules.declared import ON_EVENTS, ON_VALUES, Rules
from migrate.screen import counted
from migrate.settings import Setting, Settings
from migrate.workdir import rounds
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.far import FarDepot, Gone

_SHOWN: Final = 3
"""Rows that are named."""


def pin_settings(checkpoint: Checkpoint, settings: Settings, *, has_news: bool) -> None:
    """Bind a workdir to its settings; raises Refused where it was planned with others.

    A workdir without a planned event begins anew where the settings are others. `has_news`: whether there is anything
    to plan; if not, the mapping may be of another version, as no row can become another event.
    """
    known, now = checkpoint.facts(), settings.facts()
    mapping = settings.mapping()
    if begins_anew(checkpoint, settings):
        if "platform" in known:
            checkpoint.forget()
            witnesses.forget(checkpoint.workdir)
        more = {
            "payload_versions": [mapping.payload_version],
            "rules": [settings.rules.rest],
            "rules_personal": settings.rules.personal,
            "begun_with": VERSION,
            "mappings": [] if settings.own is None else [settings.own.digest],
        }
        checkpoint.note(**_deciding(settings), **more)
        return
    if (other := known["platform"]) != settings.platform:
        raise Refused(
            f"{checkpoint.workdir}: a workdir of {other}, found {settings.platform}; name {other}, or plan into "
            "another --workdir"
        )
    for name, value in now.items():
        if known.get(name) == value:
            continue
        raise Refused(
            f"{name}: this workdir was {_found(name, known.get(name), value)}; use what it was planned with, or plan "
            "into another --workdir"
        )
    check_unsent(checkpoint, settings.rules, rounds.unsettled(checkpoint, ""))
    if not has_news:
        return
    _check_mapping(checkpoint, known, settings, mapping)
    _check_rules(checkpoint, known, settings.rules)
    if mapping.payload_version not in known["payload_versions"]:
        checkpoint.note(payload_versions=[*known["payload_versions"], mapping.payload_version])
    if settings.rules.rest not in known.get("rules", [None]):
        checkpoint.note(rules=[*known.get("rules", [None]), settings.rules.rest])
    checkpoint.note(rules_personal=settings.rules.personal)


def parts_in(checkpoint: Checkpoint, folder: str) -> dict[str, str] | None:
    """Return what binds a workdir of which no event is planned to a folder in a storage; None where it is bound.

    Its files come to lie below a key of its own there. Raises Refused where they lie elsewhere, UsageError where there
    is no such bucket, Stopped where it cannot be listed.
    """
    known = checkpoint.facts().get("parts")
    if known is not None and known["folder"] == folder:
        return None
    if checkpoint.has_events():
        where = "in the workdir" if known is None else f"in {known['folder']}"
        raise Refused(
            f"--parts: the files of this plan lie {where}, found {folder}; leave it out, or plan into another --workdir"
        )
    fact = {"folder": folder, "id": secrets.token_hex(8)}
    try:
        for _ in FarDepot.of(checkpoint.workdir, fact).listed():
            pass
    except Gone as error:
        raise UsageError(f"--parts: {error}") from None
    return fact


def pin_parts(checkpoint: Checkpoint, fact: dict[str, str]) -> None:
    """Bind a workdir to a folder in a storage, see `parts_in`."""
    checkpoint.note(parts=fact)
    checkpoint.depot = FarDepot.of(checkpoint.workdir, fact)
    checkpoint.depot.take()


def begins_anew(checkpoint: Checkpoint, settings: Settings) -> bool:
    """Return whether a workdir begins with these settings, whatever is known in it: nothing, or under others no event.

    Where nothing is planned yet that could become other events, what is known is forgotten.
    """
    known = checkpoint.facts()
    is_other = any(known.get(name) != value for name, value in _deciding(settings).items())
    return "platform" not in known or (is_other and not checkpoint.has_events())


def _deciding(settings: Settings) -> dict[str, Setting]:
    """Return what decides which events rows become, by the names of the facts."""
    identity = settings.mapping().identity_version
    return settings.facts() | {"identity_version": identity, "rules_identity": settings.rules.identity}


def check_unsent(checkpoint: Checkpoint, rules: Rules, unsent: int, command: str = "apply") -> None:
    """Raise Refused where events that are planned and `unsent` would go otherwise than these rules want them.

    What is planned stays as it was planned, and what has been sent cannot be taken back. Without rules it goes.
    """
    known = checkpoint.facts()
    others = {
        ", ".join(names): now not in {None, known.get(fact)}
        for names, now, fact in (
            (ON_EVENTS, rules.identity, "rules_identity"),
            (ON_VALUES, rules.personal, "rules_personal"),
        )
    }
    if not unsent or not any(others.values()):
        return
    raise Refused(
        f"[rules]: {counted(unsent, 'event')} of this workdir not sent yet, planned under other rules "
        f"({', '.join(names for names, is_other in others.items() if is_other)}), would go as planned; if that is "
        f"meant, send first what is planned: {_as_planned(checkpoint, command)} (and --min-age 0, where days are "
        "held); if not, begin a new --workdir (what is sent twice PostHog keeps once)"
    )


def _as_planned(checkpoint: Checkpoint, name: str = "apply") -> str:
    """Return the command that sends what is planned, or parked, under no rules of now."""
    facts = checkpoint.facts()
    host = facts.get("target") or facts.get("asked_for")
    words = ["migrate", name, str(checkpoint.workdir), "--config", "/dev/null", "--host"]
    return f"{shlex.join(words)} {shlex.quote(str(host)) if host else '…'}"


def _check_rules(checkpoint: Checkpoint, known: Mapping[str, Any], rules: Rules) -> None:
    """Raise Refused where new inputs would be planned under other rules on events and ids, or under none by mistake.

    Other rules on properties go on, which is noted: an event is the same event with them.
    """
    had = [one for one in known.get("rules", []) if one is not None]
    if had and rules.rest is None:
        raise Refused(
            "[rules]: this workdir was planned with rules on properties, found none, so nothing new is planned here; "
            "name the configuration file that has them with --config, or begin a new --workdir"
        )
    if known.get("rules_identity") == rules.identity:
        return
    day = date.fromisoformat(list(checkpoint.by_day())[-1]) + timedelta(days=1)
    raise Refused(
        f"[rules]: this workdir was planned with other rules on events and ids ({', '.join(ON_EVENTS)}), under which "
        "the same rows become other events, so nothing new is planned here; use what it was planned with, or send "
        f"what is planned ({_as_planned(checkpoint)}), then begin a new --workdir with "
        f"{_people(known)} and --since {day}, the day after the last that is planned here"
    )


def _check_mapping(
    checkpoint: Checkpoint, known: Mapping[str, Any], settings: Settings, mapping: Platform
) -> None:
    """Raise Refused where new inputs would be planned with a mapping under which rows may become other events."""
    if known["identity_version"] != mapping.identity_version:
        raise Refused(_road(checkpoint, known, settings, mapping))
    if settings.own is not None:
        _check_own(checkpoint, known, settings, settings.own)


def _check_own(checkpoint: Checkpoint, known: Mapping[str, Any], settings: Settings, own: Own) -> None:
    """Raise Refused where the user's own mapping makes other events of the rows that are kept.

    They are mapped again also where its file says what it said, as it may read others. Or where the file has changed
    and no row is kept to tell it by, unless the user has said it, by another payload version.
    """
    if (
        not checkpoint.has_events()
    ):  # that could become others: the file may have been mended, so that there are any
        witnesses.forget(checkpoint.workdir)
        checkpoint.note(mappings=[own.digest])
        return
    groups, is_same = witnesses.kept(checkpoint.workdir), own.digest in known["mappings"]
    what = "what it reads or imports has changed" if is_same else "changed"
    where = f"{own.path}: {what} since this workdir was planned"
    if differing := list(islice(witnesses.differing(settings, groups), _SHOWN)):
        raise Refused(
            f"{where}, and the same rows become other events, found {'; '.join(differing)}; so nothing new is planned "
            "here, as PostHog would have such rows twice: put it back as it was, or, if it is meant, raise its "
            f"identity_version, send what is planned (migrate apply {checkpoint.workdir}), "
            f"{_begin_anew(checkpoint, known)}"
        )
    if is_same:
        return
    if not groups and settings.mapping().payload_version in known["payload_versions"]:
        raise Refused(
            f"{where}, and no row is kept by which to tell whether the same rows become the same events; put it back "
            "as it was, or, if they do, raise its payload_version, which says so"
        )
    checkpoint.note(mappings=[*known["mappings"], own.digest])


def _road(checkpoint: Checkpoint, known: Mapping[str, Any], settings: Settings, mapping: Platform) -> str:
    """Return why nothing new is planned in a workdir of another identity version, and how to go on."""
    begun, before, now = known["begun_with"], known["identity_version"], mapping.identity_version
    rest = (
        "under which the same rows may become other events, so nothing new is planned here; finish with "
        f"{{}}, or send what is planned (migrate apply {checkpoint.workdir}), {_begin_anew(checkpoint, known)}"
    )
    if settings.own is not None:
        return (
            f"{checkpoint.workdir}: begun with identity_version {before} of {settings.own.path}, which has {now} now, "
            f"{rest.format('the file as it was')}"
        )
    return (
        f"{checkpoint.workdir}: begun by migrate {begun} with identity version {before} of the {settings.platform} "
        f"mapping, this is migrate {VERSION} with version {now}, {rest.format(f'migrate {begun}')}"
    )


def _begin_anew(checkpoint: Checkpoint, known: Mapping[str, Any]) -> str:
    """Return how another workdir goes on where this one ends."""
    day = date.fromisoformat(list(checkpoint.by_day())[-1]) + timedelta(days=1)
    return (
        f"then begin a new --workdir with {_people(known)} and --since {day}, the day after the "
        "last of which something was sent then (older rows that come late are left out)"
    )


def _people(known: Mapping[str, Any]) -> str:
    """Return how another workdir goes on with the people of this one."""
    shared = known.get("people_dir")
    return f"--people {shared}" if shared else f"a copy of this one's {PEOPLE_FILE} in it"


def _found(name: str, known: object, value: object) -> str:
    """Return with what a workdir was planned, and what it is not to be planned with."""
    if name == "--spec":
        return "planned with a spec that says something else"
    if name == "--host":
        kinds = ["for a trial in a sandbox", "for a trial that is sent for good"]
        return "planned {}, found one {}".format(*(kinds if known is None else reversed(kinds)))
    return f"planned with {_said(known)}, found {_said(value)}"


def _said(value: object) -> str:
    """Return a setting as a message says it."""
    return "nothing" if value is None else str(value)
