"""How rows become events, handed to processes that plan: settings, the user's own mapping, people, secret addresses."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from migrate.errors import Refused
from migrate.people.schema import PEOPLE_FILE
from migrate.people.store import People
from migrate.plan.jobs import Job
from migrate.plan.transform import Transform
from migrate.settings import Settings
from migrate.stores import urls


@dataclass(frozen=True)
class Making:
    """Gives each job how its rows become events. Another process opens the people's file to look things up alone."""

    settings: Settings
    people: People

    def __call__(self, job: Job) -> Transform:
        """Return how a job's rows become events."""
        return self.settings.transform(job, self.people)

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        """Hand on what makes the same in another process."""
        if self.people.folder is None:
            raise TypeError("people in memory are of one process")
        own, people = self.settings.own, self.people
        return _made, (
            self.settings,
            None if own is None else own.digest,
            self.people.folder.absolute() / PEOPLE_FILE,
            people.owner,
            people.is_shared,
            urls.secrets(),
        )


def _made(  # noqa: PLR0913, PLR0917 - what is handed on
    settings: Settings,
    digest: str | None,
    path: Path,
    owner: str,
    is_shared: bool,  # noqa: FBT001
    secrets: Mapping[str, str],
) -> Making:
    """Return the same; raises Refused where the user's own mapping says something else by now."""
    urls.know(secrets)
    if settings.own is not None and settings.own.digest != digest:
        raise Refused(
            f"{settings.own.path}: changed while files were planned with it; run the same command again, or put back "
            "what it was"
        )
    return Making(settings, People.opened(path, owner, is_shared=is_shared))
