"""What is wrong is said as the command line says it, with the line of the text, where that is known."""

import pytest

from migrate.serving.complaints import complaint

TEXT = """\
event = "action"
json = ["items"]

[timestamp]
column = "at"
zone = "Mars"

[rename]
"odd name" = "x"

[constants]
json = ["items"]

[[links]]
anonymous = "a"
"""


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("spec.toml: not TOML, found 'Invalid value (at line 3, column 9)'; see docs/spec.md", 3),
        ('spec: event: expected a column, found 5; use event = "column"', 1),
        ('rows.csv: spec: json: no column "items" in the file, found a, b', 2),
        ("spec: timestamp.zone: not an IANA zone, found 'Mars'; give one such as Europe/Berlin", 6),
        ("spec: rename.odd name: expected text, found 5", 9),
        ('spec: constants.json: expected text, found ["items"]', 12),
        ("spec: links[1].anonymous: no column", 15),
        ("spec: timestamp.format: missing", 4),
        ('spec: distinct_id: missing; use distinct_id = "column"', None),
        ("spec.toml: not TOML, found 'Invalid value (at end of document)'; see docs/spec.md", 15),
        ("acme.py:12: NameError: name 'x' is not defined; mend it there", 12),
        ("rows.csv: no such file", None),
    ],
)
def test_the_line_is_found(said, line):
    """By the reader's own words, or by the key."""
    assert complaint(said, TEXT) == {"said": said, "line": line}


def test_secrets_and_control_characters_are_not_shown():
    """As on all screens; without a text there is no line."""
    assert complaint("spec: event: \x1b[31m", None) == {"said": "spec: event: \\x1b[31m", "line": None}
