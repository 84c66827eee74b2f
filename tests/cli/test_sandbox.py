"""`migrate sandbox` says what it cannot do in a sentence."""

import json
import socket

import pytest
from commands import migrate


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ("{", "--faults: not JSON, "),
        ("{}", "--faults: a list is needed, found {}; "),
        (
            '[{"fault": "zzz"}]',
            "--faults: rule 1: no fault 'zzz'; there are ",
        ),
        ('[{"fault": "latency", "seconds": "long"}]', "--faults: Expected `float`, got `str`"),
    ],
    ids=["no JSON", "no list", "no fault", "no number"],
)
def test_wrong_faults_are_a_sentence(tmp_path, rules, said):
    """With what was found, and nothing is made."""
    (tmp_path / "f.json").write_text(rules)
    done = migrate("sandbox", "--port", "0", "--faults", tmp_path / "f.json", "--data", tmp_path / "data")
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_in_use_is_a_sentence():
    """It names the port and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = migrate("sandbox", "--port", port)
    assert done.returncode == 2
    assert f"--port {port}: cannot listen at 127.0.0.1, " in done.stderr
    assert done.stderr.endswith("; name another\n")


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path):
    """A file is in the way."""
    (tmp_path / "file").write_text(json.dumps({}))
    done = migrate("sandbox", "--port", "0", "--data", tmp_path / "file" / "data")
    assert done.returncode == 2
    assert done.stderr.startswith("error: --data: ")
