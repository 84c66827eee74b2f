"""A TOML file → its table, or why it is none."""

import pytest

from migrate.toml import parsed


def read(folder, text):
    """What a file of this text says."""
    (folder / "x.toml").write_text(text, encoding="utf-8")
    return parsed(folder / "x.toml")


def test_a_byte_order_mark_and_other_ends_of_lines_are_read(tmp_path):
    """As editors on Windows write them."""
    assert read(tmp_path, "\ufeffa = 1\r\n[b]\r\nc = [[2]]\r\n") == {"a": 1, "b": {"c": [[2]]}}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a = 1\nb = " + "9" * 5_000, "an integer that is too long (at line 2)"),
        ("a = -" + "9_9" * 5_000, "an integer that is too long (at line 1)"),
        ("a = [0x" + "f" * 5_000 + "]", "an integer that is too long (at a)"),
        ("a = " + "[" * 3_000, "tables or lists too deep inside of each other"),
        ("a = " + "{x=" * 3_000, "tables or lists too deep inside of each other"),
        ("[a." + ".".join("x" * 150) + "]", "tables or lists too deep inside of each other (at a)"),
        ("a = " + "[" * 101 + "]" * 101, "tables or lists too deep inside of each other (at a)"),
    ],
)
def test_what_python_cannot_take_is_a_sentence(tmp_path, text, why):
    """With its place, as far as that is known."""
    with pytest.raises(ValueError, match="too ") as refused:
        read(tmp_path, text)
    assert str(refused.value) == why


def test_what_is_deep_and_long_but_not_too_much_is_read(tmp_path):
    """At the border."""
    assert read(tmp_path, "a = " + "[" * 100 + "]" * 100)
    assert read(tmp_path, "a = " + "9" * 1_000) == {"a": int("9" * 1_000)}
