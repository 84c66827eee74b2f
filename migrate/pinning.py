"""A workdir bound to the settings it is planned with; under others nothing more is planned in it."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from migrate import VERSION
from migrate.errors import Refused
from migrate.kit.declare import Platform
from migrate.people.schema import PEOPLE_FILE
from migrate.settings import Settings
from migrate.workdir.checkpoint import Checkpoint


def pin_settings(checkpoint: Checkpoint, settings: Settings, *, has_news: bool) -> None:
    """Bind a workdir to its settings; raises Refused where it was planned with others.

    A workdir without a planned event begins anew where the settings are others. `has_news`: whether there is anything
    to plan; if not, the mapping may be of another version, as no row can become another event.
    """
    known, now = checkpoint.facts(), settings.facts()
    mapping = settings.mapping()
    identity = {"identity_version": mapping.identity_version}
    begun = now | identity | {"payload_versions": [mapping.payload_version], "begun_with": VERSION}
    is_other = any(known.get(name) != value for name, value in (now | identity).items())
    # Where nothing is planned yet that could become other events, the workdir begins anew.
    if "platform" not in known or (is_other and not checkpoint.extent()[0]):
        if "platform" in known:
            checkpoint.forget()
        checkpoint.note(**begun)
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
    if not has_news:
        return
    if known["identity_version"] != mapping.identity_version:
        raise Refused(_road(checkpoint, known, settings.platform, mapping))
    if mapping.payload_version not in known["payload_versions"]:
        checkpoint.note(payload_versions=[*known["payload_versions"], mapping.payload_version])


def _road(checkpoint: Checkpoint, known: Mapping[str, Any], platform: str, mapping: Platform) -> str:
    """Return why nothing new is planned in a workdir of another identity version, and how to go on."""
    begun, now = known["begun_with"], mapping.identity_version
    day = date.fromisoformat(list(checkpoint.by_day())[-1]) + timedelta(days=1)
    shared = known.get("people_dir")
    people = f"--people {shared}" if shared else f"a copy of this one's {PEOPLE_FILE} in it"
    road = (
        f"then begin a new --workdir with {people} and --since {day}, the day after the "
        "last of which something was sent then (older rows that come late are left out)"
    )
    return (
        f"{checkpoint.workdir}: begun by migrate {begun} with identity version {known['identity_version']} of the "
        f"{platform} mapping, this is migrate {VERSION} with version {now}, under which the same rows may become other "
        f"events, so nothing new is planned here; finish with migrate {begun}, or send what is planned (migrate apply "
        f"{checkpoint.workdir}), {road}"
    )


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
