"""A file whose text cannot be read is set aside; the others have the encoding that they are found to have."""

from readings import source, table

from migrate.plan.jobs import Job
from migrate.plan.readable import readable
from migrate.readers.headers import read_header


def test_one_that_cannot_be_read_costs_itself(tmp_path):
    """Also one that is gone by now."""
    files = [
        source(tmp_path / f"{n}.csv", data)
        for n, data in enumerate([b"a,b\n1,2\n", b"a,b\n1,\xe9\xe9\n", b"a\n1\n"])
    ]
    jobs = [Job(source=one, header=read_header(one), table=table()) for one in files]
    files[2].path.unlink()
    fine, wrong = readable(jobs, None)
    assert fine == jobs[:1]
    assert {name[-5:]: one.reason for name, one in wrong.items()} == {
        "1.csv": "wrong_encoding",
        "2.csv": "vanished",
    }
