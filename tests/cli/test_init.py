"""A configuration file is written with every key in it, and all of it can be meant."""

import tomllib

import pytest
from commands import migrate
from samples import PLATFORMS

from migrate.cli.commands import cli
from migrate.cli.config import read_config
from migrate.cli.configured import keys_of
from migrate.cli.fetching import FIRST, VENDORS
from migrate.kit.declare import CHOICES

PARAMS = keys_of(cli.commands.values())
HEEDED = {option.removeprefix("--").replace("-", "_") for option in CHOICES}


def uncommented(text):
    """The file with its examples taken as they stand."""
    lines = [line.removeprefix("# ") for line in text.splitlines()]
    return [line for line in lines if line.startswith("[") or line.partition(" = ")[1]]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_key_is_there_and_can_be_meant(tmp_path, platform, monkeypatch):
    """As it is written, and as it is when all of it is taken; what the platform has no use for is not in it."""
    path = tmp_path / "m.toml"
    done = migrate("init", platform, "-o", path)
    assert (done.returncode, done.stderr) == (
        0,
        f"{path}: what to read is still to be said in it; then: migrate run --dry-run -c {path}\n",
    )
    assert read_config(path, PARAMS).common.options == {
        "platform": platform,
        "inputs": [str(tmp_path / "exports")],
    }
    found = [
        line
        for line in uncommented(path.read_text())
        if line.startswith("[") or line.partition(" = ")[0].isidentifier()
    ]
    path.write_text("\n".join(found))
    said = tomllib.loads(path.read_text())
    missing = {*PARAMS} - {*said}
    assert missing <= HEEDED | {"spec", "keep", *FIRST}
    assert ("fetch" in said) == (platform in VENDORS)
    assert ("spec" in said) == (platform == "table")
    del said["workdir"]
    path.write_text("\n".join(line for line in found if not line.startswith("workdir")))
    monkeypatch.setenv("HASH_SALT", "sixteen letters!")
    config = read_config(path, PARAMS)
    assert [job.name for job in config.jobs] == ["web", "app"]
    assert config.jobs[0].rules().hash_salt
    for key, param in PARAMS.items():
        value = config.common.options.get(param.name)
        if key not in {"labels", "api_key", "ping", "notify"} and value is not None:
            for one in value if isinstance(value, list) else [value]:
                param.type.convert(one, param, None)


def test_a_file_that_is_there_stays(tmp_path):
    """And so does where none can be written."""
    done = migrate("init", "amplitude", cwd=tmp_path)
    before = (tmp_path / "migrate.toml").read_text()
    done = migrate("init", "mixpanel", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (
        2,
        "error: --output: migrate.toml is there already; name another file, or move it away\n",
    )
    assert (tmp_path / "migrate.toml").read_text() == before
    done = migrate("init", "mixpanel", "-o", "nowhere/m.toml", cwd=tmp_path)
    assert done.stderr == (
        "error: --output: nowhere/m.toml cannot be written, found 'No such file or directory'; check the path\n"
    )
    assert migrate("init", "mixpenal", "-o", "x.toml", cwd=tmp_path).returncode == 2
    assert not (tmp_path / "x.toml").exists()


def test_a_dash_is_stdout(tmp_path):
    """And no file of that name."""
    done = migrate("init", "amplitude", "-o", "-", cwd=tmp_path)
    assert (done.returncode, done.stderr, [*tmp_path.iterdir()]) == (0, "", [])
    assert migrate("init", "amplitude", cwd=tmp_path).returncode == 0
    assert done.stdout == (tmp_path / "migrate.toml").read_text()
