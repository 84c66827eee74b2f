"""Files whose text can be read, in the encoding it is found to have; and why the others cannot."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from migrate.errors import Unfit
from migrate.inputs.source import stamp
from migrate.plan.jobs import Job
from migrate.readers.headers import settled
from migrate.workdir.records import Aside


def readable(jobs: Sequence[Job], checked: int | None) -> tuple[list[Job], dict[str, Aside]]:
    """Return the files whose text can be read, and why the others cannot."""

    def judged(job: Job) -> Job | Aside:
        try:
            header, found = settled(job.source, job.header, checked)
            return replace(job, header=header) if found is None else Aside(*found, stamp(job.source))
        except Unfit as error:
            return Aside(error.reason, error.why)

    with ThreadPoolExecutor(thread_name_prefix="check") as pool:
        found = list(pool.map(judged, jobs))
    complaints = {
        job.source.name: one for job, one in zip(jobs, found, strict=True) if isinstance(one, Aside)
    }
    return [one for one in found if isinstance(one, Job)], complaints
