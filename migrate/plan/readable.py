"""Files whose text can be read, in the encoding it is found to have; and why the others cannot."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from migrate.errors import Unfit
from migrate.inputs.source import stamp
from migrate.plan.jobs import Job
from migrate.readers.files import TEXT_PARTS
from migrate.readers.headers import settled
from migrate.workdir.records import Aside


def readable(
    jobs: Sequence[Job], checked: int | None, can_wait: Callable[[Job], bool] = lambda _: False
) -> tuple[list[Job], dict[str, Aside]]:
    """Return the files whose text can be read, and why the others cannot.

    Text is looked through for so many bytes of each file, all of it if that is None; of what `can_wait` by whoever
    reads it to plan it, so that it is read once less. The first file of each table does not wait: its rows are shown,
    and looked at closely, before all of it is read.
    """
    known = set[str]()
    """Names of tables of which a file can be read."""

    def first(job: Job) -> Job | Aside | None:
        if job.table.name in known or not can_wait(job):
            return None
        found = judged(job)
        if isinstance(found, Job):
            known.add(job.table.name)
        return found

    def judged(job: Job) -> Job | Aside:
        try:
            header, found = settled(job.source, job.header, checked)
            return replace(job, header=header) if found is None else Aside(*found, stamp(job.source))
        except Unfit as error:
            return Aside(error.reason, error.why)

    def waiting(job: Job, before: Job | Aside | None) -> Job | Aside:
        if before is not None:
            return before
        if job.header.format in TEXT_PARTS and can_wait(job):
            return replace(job, header=replace(job.header, is_unsettled=True))
        return judged(job)

    firsts = [first(job) for job in jobs]
    with ThreadPoolExecutor(thread_name_prefix="check") as pool:
        found = list(pool.map(waiting, jobs, firsts))
    complaints = {
        job.source.name: one for job, one in zip(jobs, found, strict=True) if isinstance(one, Aside)
    }
    return [one for one in found if isinstance(one, Job)], complaints


def settle(job: Job) -> Job:
    """Return a file with the encoding that all of it shows. Raises Unfit where it cannot be read."""
    header, found = settled(job.source, job.header)
    if found is not None:
        raise Unfit(job.source.name, *found)
    return replace(job, header=header)
