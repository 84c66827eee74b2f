"""What was typed of the sources → the settings a workdir is planned with, checked against the platform."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from migrate import platforms
from migrate.cli.kinds import Day
from migrate.cli.options import GROUP_TYPE, SourceOptions
from migrate.cli.reading import ReadingOptions
from migrate.errors import UsageError
from migrate.kit.declare import Options
from migrate.kit.times import clock, zone_name
from migrate.naming import is_path
from migrate.own import Own
from migrate.plan.census import Choices
from migrate.readers.dialects import Layout
from migrate.rules.declared import NO_RULES, Rules
from migrate.rules.fates import Fates
from migrate.settings import Settings


def build_settings(
    source: SourceOptions, *, limit: int | None = None, rules: Rules = NO_RULES, draft: str | None = None
) -> Settings:
    """Return the settings; raises UsageError where an option is wrong, or is one this platform has no use for.

    `draft` is what the spec is to say, where that is not what its file says.
    """
    own = Own(source.platform) if is_path(source.platform) else None
    name = source.platform if own is None else own.name
    mapping = platforms.platform(name, source.spec, None if own is None else own.platform, draft)
    group_keys, zone = _group_keys(source.group_key), _zone(source.source_timezone)
    since, until = _span(source, zone or "UTC")
    settings = Settings(
        platform=name,
        own=own,
        options=Options(
            person_properties=source.person_properties,
            source_timezone=zone or "UTC",
            keep=frozenset(source.keep),
            labels={} if source.labels is None else _labels(source.labels, mapping.read_labels),
            group_keys=group_keys,
            group_type=source.group_type,
            user_id=source.user_id,
            uuid_compat=source.uuid_compat,
        ),
        choices=Choices(link=source.identity == "link", max_cluster=source.max_cluster, zone=zone),
        spec=source.spec,
        draft=draft,
        since=since,
        until=until,
        limit=limit,
        encoding=source.encoding,
        layout=layout_of(source),
        nulls=source.nulls,
        partitions=not source.no_partitions,
        import_id=source.import_id,
        skip_unknown=source.skip_unknown,
        rules=rules,
    )
    _check_heeded(source, mapping.options)
    _check_rules(source, group_keys, rules)
    filters = sorted({name for table in mapping.tables for name in table.filters})
    for name in source.keep:
        if name not in filters:
            known = ", ".join(filters) or "none"
            raise UsageError(
                f"--keep: {source.platform} has no such filter, found '{name}'; its filters are {known}"
            )
    return settings


def _span(source: SourceOptions, zone: str) -> tuple[datetime | None, datetime | None]:
    """Return from when on events are wanted, and until when; raises UsageError where nothing can lie between them.

    Days told from today are those of the zone.
    """
    now = datetime.now(clock(zone))
    since, until = (one.at(now) if isinstance(one, Day) else one for one in (source.since, source.until))
    if source.lookback is not None:
        if since is None:
            raise UsageError("--lookback: found without --since, before which it looks; name that, too")
        try:
            since -= timedelta(days=source.lookback)
        except OverflowError:
            raise UsageError(
                f"--lookback: reaches back before the year 1, found {source.lookback} days; give fewer"
            ) from None
    if since is not None and until is not None and since >= until:
        raise UsageError(
            f"--since: not before --until, found {since.isoformat()} and --until {until.isoformat()}; nothing lies "
            "between them: exchange them, or leave one out"
        )
    return since, until


def _group_keys(words: Sequence[str]) -> dict[str, str]:
    """Return property -> type of the groups whose key it holds."""
    keys = dict(word.partition("=")[::2] for word in words)
    if wrong := [name for name, kind in keys.items() if not (name and kind)]:
        raise UsageError(
            f"--group-key: not PROPERTY=TYPE, found '{wrong[0]}'; give one such as company_id=company"
        )
    return keys


def _zone(given: str | None) -> str | None:
    return None if given is None else zone_name(given, "--source-timezone")


def _labels(path: Path, read: Callable[[Any], Mapping[str, str]] | None) -> dict[str, str]:
    """Return the names of a labels file; raises UsageError where it is none."""
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
        labels = read(document) if read else document
    except (ValueError, RecursionError) as error:
        raise UsageError(f"--labels: {path} is no JSON, {error}; give an object of names") from None
    if not isinstance(labels, dict) or not all(isinstance(value, str) for value in labels.values()):
        raise UsageError(
            f'--labels: {path} is no object of texts, found {type(labels).__name__}; give {{"name": "real name"}}'
        )
    return labels


def layout_of(source: ReadingOptions) -> Layout:
    """Return how delimited files are said to be written; raises UsageError where that cannot be."""
    letters = {"delimiter": source.delimiter, "quote": source.quote, "escape": source.escape}
    for name, letter in letters.items():
        if letter is not None and len(letter.encode()) != 1:
            raise UsageError(f"--{name}: one ASCII character, found '{letter}'")
    columns = tuple(name.strip() for name in (source.columns or "").split(",") if name.strip())
    if source.columns is not None and not columns:
        raise UsageError(f"--columns: no name in it, found '{source.columns}'; give them as a,b,…")
    return Layout(
        delimiter=source.delimiter,
        dialect=source.dialect,
        quote=source.quote,
        escape=source.escape,
        columns=columns,
        has_header=not (source.no_header or columns),
    )


def _check_heeded(source: SourceOptions, options: frozenset[str]) -> None:
    """Raise UsageError for an option that this platform would pass over in silence."""
    given = {
        "--labels": source.labels is not None,
        "--group-key": bool(source.group_key),
        "--group-type": source.group_type != GROUP_TYPE,
        "--user-id": bool(source.user_id),
        "--uuid-compat": source.uuid_compat is not None,
    }
    for name, is_given in given.items():
        if is_given and name not in options:
            heeded = f"; it heeds {', '.join(sorted(options))}" if options else ""
            raise UsageError(f"{name}: {source.platform} has no use for it{heeded}; leave it out")


def _check_rules(source: SourceOptions, group_keys: Mapping[str, str], rules: Rules) -> None:
    """Raise UsageError where what is to be left out or hashed would arrive as an id or as a group's key."""
    fates = Fates(rules)
    as_ids = dict.fromkeys(group_keys, "--group-key")
    if source.user_id is not None:
        as_ids[source.user_id] = "--user-id"
    for name, option in as_ids.items():
        if fates.is_personal(name):
            raise UsageError(
                f"{option}: '{name}' is left out or hashed by [rules], and would arrive as an id; leave one of the two "
                "out"
            )
