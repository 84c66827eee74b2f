"""What must not stand in a file is referred to."""

import pytest
from commands import KEY

from migrate.cli.secrets import checked_reference, secret
from migrate.errors import UsageError


def test_it_comes_from_the_environment_or_from_the_first_line_of_a_file(tmp_path, monkeypatch, capsys):
    """Without what stands around it; a file that others can read is said."""
    monkeypatch.setenv("A_KEY", f" {KEY}\n")
    assert secret({"env": "A_KEY"}, "f: api_key", tmp_path) == KEY
    path = tmp_path / "key"
    path.write_text(f"{KEY} \nmore\n")
    path.chmod(0o600)
    assert secret({"file": "key"}, "f: api_key", tmp_path) == KEY
    assert not capsys.readouterr().err
    path.chmod(0o640)
    assert secret({"file": str(path)}, "f: api_key", tmp_path) == KEY
    assert capsys.readouterr().err == (
        f"note: f: api_key: others can read {path}; chmod 600 keeps it to you\n"
    )


@pytest.mark.parametrize(
    "value",
    [
        KEY,
        7,
        {},
        {"env": "A", "file": "b"},
        {"key": KEY},
        {"env": " "},
        {"env": 1},
        {"env": "https://h/a"},
        {"file": "https://h/a"},
    ],
)
def test_what_is_no_reference_is_refused_and_not_printed(value):
    """It may be the secret."""
    with pytest.raises(UsageError) as refused:
        checked_reference(value, "f: api_key")
    found = "a table" if isinstance(value, dict) else "the value itself"
    assert str(refused.value) == (
        f"f: api_key: not a reference, found {found}; a secret stands in no configuration file: write "
        '{ env = "NAME" }, or { file = "path" } of a file that has it as its first line'
    )


def test_what_is_not_there_is_said(tmp_path, monkeypatch):
    """By name."""
    monkeypatch.delenv("NOT_SET", raising=False)
    (tmp_path / "empty").write_text("\n")
    said = []
    for reference in ({"env": "NOT_SET"}, {"file": "nowhere"}, {"file": "empty"}):
        with pytest.raises(UsageError) as refused:
            secret(reference, "f: api_key", tmp_path)
        said.append(str(refused.value))
    assert said == [
        "f: api_key: the variable NOT_SET is not set; set it, or name another one",
        "f: api_key: the file that is named there cannot be read, found 'No such file or directory'; check the path",
        f"f: api_key: nothing in the first line of {tmp_path}/empty; write it there",
    ]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (f"export POSTHOG_API_KEY={KEY}", KEY),
        (f"POSTHOG_API_KEY={KEY}", KEY),
        (f'POSTHOG_API_KEY="{KEY}"', KEY),
        (f"export  HASH_SALT=' {KEY} '", KEY),
        (f"\ufeff{KEY}", KEY),
        ("A_SALT=of=three=parts", "of=three=parts"),
        ("salt=of=three=parts", "salt=of=three=parts"),
        ("c2FsdCBvZiBzb21lIGxldHRlcnM=", "c2FsdCBvZiBzb21lIGxldHRlcnM="),
        ("ONQWY5BAN5TCA43PNVSQ====", "ONQWY5BAN5TCA43PNVSQ===="),
        ("'in quotes without a name'", "'in quotes without a name'"),
    ],
)
def test_a_line_may_set_a_variable(tmp_path, line, found):
    """As a shell's file or systemd's has it; a salt with a `=` is not cut."""
    (tmp_path / "key").write_text(line + "\nmore", encoding="utf-8")
    assert secret({"file": "key"}, "f: hash_salt", tmp_path) == found


@pytest.mark.parametrize("reference", [{"env": "literalsaltliteral"}, {"file": "literalsaltliteral"}])
def test_a_secret_in_the_place_of_a_name_is_not_printed(tmp_path, reference):
    """The place says which it is."""
    with pytest.raises(UsageError) as refused:
        secret(reference, "f: hash_salt", tmp_path)
    assert str(refused.value).startswith("f: hash_salt: the ")
    assert "literalsalt" not in str(refused.value)


@pytest.mark.parametrize(
    ("named", "found"),
    [
        (
            "~nosuchuser/x",
            "the file that is named there cannot be read, found 'the home of somebody who is not ",
        ),
        ("a\0b", "the file that is named there cannot be read, found 'a NUL character in a path'"),
        ("x" * 5_000, "the file that is named there cannot be read, found 'File name too long'"),
        (".", "{}/. cannot be read, found 'Is a directory'"),
        ("bytes", "{}/bytes cannot be read, found 'no text'"),
        ("set", "nothing in the first line of {}/set; write it there"),
    ],
)
def test_a_file_that_cannot_be_one_is_said(tmp_path, named, found):
    """In a sentence."""
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    (tmp_path / "set").write_text("export POSTHOG_API_KEY=\n")
    with pytest.raises(UsageError) as refused:
        secret({"file": named}, "f: api_key", tmp_path)
    said = str(refused.value).replace(f"{tmp_path} ", f"{tmp_path}/. ")
    assert said.startswith(f"f: api_key: {found.format(tmp_path)}")
