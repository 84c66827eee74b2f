import subprocess
import sys

import pytest

from migrate.errors import Refused
from migrate.workdir.hold import hold


def test_a_workdir_is_held_by_one_process_and_released_by_its_death(tmp_path):
    """A second process is refused; when the first is killed, the next may enter."""
    code = (
        "import sys, pathlib; from migrate.workdir.hold import hold\n"
        "with hold(pathlib.Path(sys.argv[1])):\n    print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "held\n"
        with (
            pytest.raises(Refused, match="another migrate process is working in this workdir"),
            hold(tmp_path),
        ):
            pass
        other.kill()
    with hold(tmp_path):
        pass
