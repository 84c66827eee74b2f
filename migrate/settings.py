"""What is migrated and how: the user's choices, and what there is to plan under them."""

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Final

from migrate import platforms
from migrate.beside import Beside, whole
from migrate.inputs.dated import Span
from migrate.inputs.listing import sources
from migrate.inputs.source import Source, Stems, stamp
from migrate.inputs.stored import stamp_now
from migrate.kit.declare import EVERY_ROW, Options, Platform, Table, is_called
from migrate.kit.times import clock
from migrate.likeness import Likeness
from migrate.own import Own
from migrate.payload.payloads import Imprint, claimed
from migrate.people.lookup import Lookup
from migrate.people.store import People
from migrate.plan.asked import check_columns
from migrate.plan.census import Census, Choices
from migrate.plan.changed import Looked
from migrate.plan.gather import has_news
from migrate.plan.harvest import Harvest
from migrate.plan.jobs import Job, only_informs, recognise, unseen, with_header_files
from migrate.plan.lookups import Lookups
from migrate.plan.readable import readable
from migrate.plan.transform import Transform
from migrate.readers.dialects import Layout
from migrate.readers.headers import read_header
from migrate.readers.records import Header
from migrate.readers.unnamed import Unnamed
from migrate.rules.declared import NO_RULES, Rules
from migrate.rules.frames import Ruling
from migrate.workdir.records import Aside, Window

_LAYOUT: Final = Layout()
_NOTHING: Final[Mapping[str, str]] = {}
_NOWHERE: Final[Mapping[str, str | None]] = {}

Setting = str | int | bool | Sequence[str] | Sequence[Sequence[str]] | None
"""What the user chose, as the checkpoint keeps it; None where it is as usual."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is migrated and how its rows become events; a workdir is planned with one set of these."""

    platform: str
    """Its name; of a mapping of the user's own that of its file."""
    own: Own | None = None
    """The mapping, where it is the user's own."""
    options: Options = field(default_factory=Options)
    spec: Path | None = None
    draft: str | None = None
    """What the spec is to say while it is tried, in place of what its file says."""
    since: datetime | None = None
    until: datetime | None = None
    limit: int | None = None
    encoding: str | None = None
    layout: Layout = _LAYOUT
    nulls: tuple[str, ...] = ()
    partitions: bool = True
    import_id: str | None = None
    skip_unknown: bool = False
    choices: Choices = field(default_factory=Choices)
    rules: Rules = NO_RULES
    profiled: bool = False
    """Whether any file to plan has profiles of persons."""
    resolved: bool = False
    """Whether rows of any file to plan go under ids, or names, that other rows tell."""

    def mapping(self) -> Platform:
        """Return the platform's mapping."""
        own = None if self.own is None else self.own.platform
        return platforms.platform(self.platform, self.spec, own, self.draft)

    def facts(self) -> dict[str, Setting]:
        """Return what decides the payloads, by the name it has for the user."""
        return {
            "platform": self.platform,
            "--spec": None if self.spec is None else platforms.digest(self.spec),
            "--limit": self.limit,
            "--host": None if self.choices.tells else "no sandbox",
            "--person-properties": self.options.person_properties,
            "--source-timezone": self.options.source_timezone,
            "--keep": sorted(self.options.keep),
            **self._more(),
            "--encoding": self.encoding,
            "--delimiter": self.layout.delimiter,
            "--dialect": self.layout.dialect,
            "--quote": self.layout.quote,
            "--escape": self.layout.escape,
            "--columns": list(self.layout.columns) or None,
            "--no-header": None if self.layout.has_header else True,
            "--no-partitions": None if self.partitions else True,
            "--null": list(self.nulls) or None,
            "import_id": self.imprint().import_id,
        }

    def _more(self) -> dict[str, Setting]:
        """Return what else decides the payloads; None where it is as usual."""
        options = self.options
        return {
            "--identity": "none" if not self.choices.link else None,
            "--user-id": options.user_id,
            "--uuid-compat": options.uuid_compat,
            "--labels": _digest(sorted(options.labels.items())) if options.labels else None,
            "--group-key": sorted(map(list, options.group_keys.items())) or None,
            "--group-type": options.group_type if options.group_type != Options().group_type else None,
        }

    def imprint(self) -> Imprint:
        """Return what every payload carries; the import id is the user's, or made from what decides payloads."""
        if self.import_id is not None:
            return Imprint(platform=self.platform, import_id=self.import_id)
        decides = [self.platform, _RECIPE, self.options.person_properties, self.options.source_timezone]
        more = {name: value for name, value in self._more().items() if value is not None}
        digest = _digest([*decides, sorted(self.options.keep), *([more] if more else [])])
        return Imprint(platform=self.platform, import_id=f"{self.platform}-{digest}")

    def untold(self) -> "Settings":
        """Return what a trial that is no sandbox's is planned with: nothing is told of people, who are not known yet.

        Each event is the one that it becomes when all of it is planned, so that PostHog has it once in the end.
        """
        return replace(
            self,
            import_id=self.imprint().import_id,
            options=replace(self.options, person_properties="none"),
            choices=replace(self.choices, tells=False),
        )

    @cached_property
    def ruling(self) -> Ruling | None:
        """The user's own rules, made ready once."""
        return Ruling.of(self.rules)

    def transform(self, job: Job, people: Lookup | None = None) -> Transform:
        """Return how a job's rows become events."""
        return Transform(
            table=job.table,
            imprint=self.imprint(),
            options=self.options,
            since=job.window.since,
            until=job.window.until,
            file=job.source.stem,
            people=people,
            profiled=self.profiled,
            tells=self.choices.tells,
            ruling=self.ruling,
            explained=None if self.own is None else self.own.explained,
        )

    def explained(self) -> AbstractContextManager[None]:
        """Have what the functions of a user's own mapping raise be said as what is wrong with its file."""
        return nullcontext() if self.own is None else self.own.explained()

    def census(self, people: People) -> Census:
        """Return what is to be found out about people."""
        return Census(
            people=people,
            choices=self.choices,
            options=self.options,
            imprint=self.imprint(),
            ruling=Ruling.of_told(self.rules),
        )

    def harvest(self, job: Job) -> Harvest:
        """Return what takes of a job's rows what they tell of who is who."""
        return Harvest(
            table=job.table,
            file=job.source.stem,
            options=self.options,
            identity=self.choices.link,
            since=job.window.since,
            until=job.window.until,
            ruling=self.ruling,
        )

    def looked_at(self) -> int | None:
        """Return how many rows are looked over before the first is planned, where that is not all.

        What is sent for good goes under the ids that all rows tell, also where it is the first rows alone.
        """
        is_first_only = self.choices.tells or not self.resolved
        return self.limit if is_first_only else None

    def work(  # noqa: PLR0913 - what is there, and what is known of it, by name
        self,
        inputs: Sequence[str],
        planned: Mapping[str, str] = _NOTHING,
        *,
        checked: int | None = None,
        most: int | None = None,
        paths: Mapping[str, str | None] = _NOWHERE,
        anew: Collection[str] | None = None,
    ) -> "Work":
        """Return what there is to plan in the inputs; raises UsageError before anything is made.

        Files that are `planned`, by name, and still have the stamp they had are not looked into again. That text is
        valid in its encoding is `checked` for so many bytes of each file, for all of them if it is None. No more than
        the first so many files are looked into (`most`), beside those in which others look things up. `paths` of
        files that were planned before: with a stamp, what still has that is not opened; and an input that is empty now
        may be one that held any of them. Where all of it is to be planned, `anew` are the names of those that are
        known already: the text of others is checked as it is read, see `Header.is_unsettled`.
        """
        span = Span(since=self.since, until=self.until, zone=clock(self.options.source_timezone))
        found = sources(inputs, skip_unreadable=self.skip_unknown, planned=paths, span=span)
        skipped = {reason: list(names) for reason, names in found.skipped.items()}
        mapping = self.mapping()
        files = [source for source in found.sources if not self._is_about(source)]
        names = [*(source.name for source in files), *found.unchanged.within(planned)]
        if planned:
            files = [source for source in files if planned.get(source.name) != stamp(source)]
        unchanged = len(names) - len(files)
        with self.explained():
            mapping = mapping.under(self.options, names) if files else mapping
        files = files if most is None else _first(files, most, mapping)
        beside = Beside(whole(names, files, planned), found.sources)
        reader = self._reader(mapping, beside)
        with self.explained():
            jobs, gone = recognise(
                *(files, with_header_files(mapping), reader),
                skip_unknown=self.skip_unknown,
                skipped=skipped,
                is_alone=not unchanged,
                likely=Likeness(self.platform, beside.header_file).likely,
            )

        def can_wait(job: Job) -> bool:
            is_new = anew is not None and self.limit is None and job.source.name not in anew
            return is_new and job.table.lookup is None and job.source.lines is None

        jobs, wrong = readable(jobs, checked, can_wait)
        for name, one in wrong.items():
            skipped.setdefault(one.reason, []).append(name)
        aside = wrong | {
            one.name: Aside(one.reason, one.why, stamp_now(one.name)) for one in (*found.unfit, *gone)
        }
        lookups = Lookups(mapping.tables, beside.called, beside.source, reader, aside)
        jobs, waiting = lookups.joined(sorted(jobs, key=lambda job: only_informs(job.table)))
        aside |= waiting
        profiled = self.options.person_properties != "none" and any(job.table.to_profiles for job in jobs)
        stems = Stems(names) if jobs else frozenset[str]()
        options = replace(self.options, files=stems)
        given = {id(job.table): job.table for job in jobs}
        tables = {key: self._tried(table, options) for key, table in given.items()}
        resolved = any(job.table.resolve is not None or job.table.recover_keys for job in jobs)
        window = Window(self.since, self.until)
        jobs = [replace(job, table=tables[id(job.table)], window=window) for job in jobs]
        settings = replace(self, options=options, profiled=profiled, resolved=resolved)
        return Work(
            settings, jobs, skipped, aside, unchanged, names, remarks=[*lookups.remarks, *unseen(jobs)]
        )

    def _reader(self, mapping: Platform, beside: Beside) -> Callable[[Source], Header | None]:
        """Return what reads headers: files are written as the user says, else as the spec does, else the platform."""
        typed = {
            name: value for name, value in asdict(self.layout).items() if value != getattr(_LAYOUT, name)
        }
        said = {**mapping.layout, **typed}
        unnamed = Unnamed(mapping.headerless, beside.header_file, said) if mapping.headerless else None
        said_once = partial(read_header, encoding=self.encoding, partitions=self.partitions)
        return partial(said_once, layout=Layout(**said), unnamed=unnamed)

    def _tried(self, table: Table, options: Options) -> Table:
        """Return a table as it is planned with; raises UsageError where it asks for columns that it does not have."""
        with self.explained():
            check_columns(self.platform, table, options, is_run=self.own is not None)
        if only_informs(table):
            table = replace(table, filters={"lookup": EVERY_ROW})
        return claimed(replace(table, nulls=(*table.nulls, *self.nulls)), options)

    def _is_about(self, source: Source) -> bool:
        """Return whether a source is the spec, or of the mapping: they may lie in the folder that they describe."""
        if source.member is not None or not isinstance(source.path, Path):
            return False
        is_spec = self.spec is not None and source.path.resolve() == self.spec.resolve()
        return is_spec or (self.own is not None and self.own.is_part(source.path))


_RECIPE: Final = 1
"""How the import id is made of what decides payloads."""


@dataclass(frozen=True)
class Work:
    """What there is to plan, and what was passed over, by reason."""

    settings: Settings
    jobs: list[Job]
    skipped: dict[str, list[str]]
    set_aside: dict[str, Aside] = field(default_factory=dict)
    """Files that cannot be planned as they are -> why, and what to do."""
    unchanged: int = 0
    """How many files are as they were when they were planned."""
    names: Collection[str] = ()
    """All sources that the inputs hold, those that are as they were among them."""
    looked: Mapping[str, Looked] = field(default_factory=dict)
    """What planned files hold whose stamps are others now, by name, as far as it was looked at."""

    remarks: Sequence[str] = ()
    """What people should know of the lookups."""

    @property
    def is_about_people(self) -> bool:
        """Whether any file says who is who, or tells of whole persons or groups."""
        tables = [job.table for job in self.jobs]
        return any(
            has_news(one, identity=self.settings.choices.link) or one.to_profiles or one.to_groups
            for one in tables
        )


def _first(files: Sequence[Source], most: int, mapping: Platform) -> list[Source]:
    """Return the first so many files, and those behind them that others need: lookups, and names of columns."""
    globs = [glob for table in mapping.tables if table.lookup is not None for glob in table.lookup.files]
    globs += [one.header_file for one in mapping.headerless if one.header_file is not None]
    behind = [one for one in files[most:] if is_called(one.called, globs)]
    return [*files[:most], *behind]


def _digest(what: object) -> str:
    """Return a short hash of a JSON value."""
    return hashlib.blake2b(json.dumps(what).encode(), digest_size=4).hexdigest()
