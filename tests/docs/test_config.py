"""docs/config.md is true to the options and the rules; its examples can be meant."""

import configs
import pytest
from markdown import blocks

from migrate.cli.commands import cli
from migrate.cli.config import TYPED, read_config
from migrate.cli.configured import keys_of

PARAMS = keys_of(cli.commands.values())


def test_the_tables_are_those_of_the_code():
    """After a change, `python tests/configs.py`."""
    assert configs.PAGE.read_text(encoding="utf-8") == configs.renewed()
    assert [line.split("`")[1] for line in configs.keys()[2:4]] == ["platform", "inputs"]
    assert {line.split("`")[1] for line in configs.keys()[2:]} == {*PARAMS}
    assert not {*PARAMS} & TYPED


@pytest.mark.parametrize("number", range(2))
def test_the_examples_can_be_meant(tmp_path, monkeypatch, number):
    """Rules, too."""
    monkeypatch.setenv("HASH_SALT", "sixteen letters!")
    (tmp_path / "m.toml").write_text(blocks(configs.PAGE, "toml")[number])
    jobs = read_config(tmp_path / "m.toml", PARAMS).jobs
    assert [job.name for job in jobs] == [[""], ["web", "app"]][number]
    assert jobs[-1].rules().drop == [("*_address", "*phone"), ("imei",)][number]
