"""What is done with rows, handed to processes that plan: settings, the user's own mapping, people, secret addresses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from migrate.errors import Refused
from migrate.people.lookup import Lookup
from migrate.people.schema import PEOPLE_FILE
from migrate.plan.harvest import Harvest
from migrate.plan.jobs import Job
from migrate.plan.transform import Transform
from migrate.settings import Settings
from migrate.stores import urls


@dataclass(frozen=True)
class Making:
    """Gives each job how its rows become events. Another process opens the people's file to look things up alone."""

    settings: Settings
    people: Lookup

    @cached_property
    def files(self) -> Sequence[Path]:
        """The people's file, which another process may be given elsewhere; none of people in memory."""
        folder = self.people.folder
        return [] if folder is None else [folder.absolute() / PEOPLE_FILE]

    def __call__(self, job: Job) -> Transform:
        """Return how a job's rows become events."""
        return self.settings.transform(job, self.people)

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        """Hand on what makes the same in another process."""
        if not self.files:
            raise TypeError("people in memory are of one process")
        (path,), people = self.files, self.people
        return _making, (*_handed(self.settings), path, people.owner, people.is_shared)


@dataclass(frozen=True)
class Looking:
    """Gives each job what takes of its rows what they tell of who is who; people are not asked."""

    settings: Settings

    def __call__(self, job: Job) -> Harvest:
        """Return what takes a job's rows."""
        return self.settings.harvest(job)

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        """Hand on what makes the same in another process."""
        return _looking, _handed(self.settings)


def _handed(settings: Settings) -> tuple[Settings, str | None, Mapping[str, str]]:
    """Return what another process needs to work by these settings."""
    return settings, None if settings.own is None else settings.own.digest, urls.secrets()


def _making(  # noqa: PLR0913, PLR0917 - what is handed on
    settings: Settings,
    digest: str | None,
    secrets: Mapping[str, str],
    path: Path,
    owner: str,
    is_shared: bool,  # noqa: FBT001
) -> Making:
    return Making(_checked(settings, digest, secrets), Lookup.opened(path, owner, is_shared=is_shared))


def _looking(settings: Settings, digest: str | None, secrets: Mapping[str, str]) -> Looking:
    return Looking(_checked(settings, digest, secrets))


def _checked(settings: Settings, digest: str | None, secrets: Mapping[str, str]) -> Settings:
    """Return the same settings; raises Refused where the user's own mapping says something else by now."""
    urls.know(secrets)
    if settings.own is not None and settings.own.digest != digest:
        raise Refused(
            f"{settings.own.path}: changed while files were planned with it; run the same command again, or put back "
            "what it was"
        )
    return settings
