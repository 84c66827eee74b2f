"""What is known beside the files."""

import pytest

from migrate.errors import Refused
from migrate.fetching.notes import NAME, Note, Notes
from migrate.fetching.shelf import Folder, write


def test_notes_come_back(tmp_path):
    """All of them; without a file nothing is known."""
    shelf = Folder(tmp_path)
    assert Notes.read(shelf) == Notes()
    notes = Notes("mixpanel", "https://a", "1", "Europe/Berlin", "2024-04-01T00:00", "migrate run", [1.5])
    notes.spans["2024-04-02"] = Note("2024-04-05T00:00:00+00:00", 3, "ff")
    write(shelf, NAME, notes.encoded())
    assert Notes.read(shelf) == notes


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", '{"spans": {"a": {}}}', '{"spans": {"a": {"asked": "now"}}}', '{"other": 1}'),
        *(
            '{"spans": {"a": {"asked": "0001-01-01T00:00"}}}',
            '{"spans": {"a": {"asked": "2024-04-01", "rows": null}}}',
        ),
        *(
            '{"spans": {}, "since": "x"}',
            '{"spans": {}, "since": "2024-04-01T00:00Z"}',
            '{"spans": {}, "since": 1}',
        ),
        *(
            '{"spans": {}, "requests": [null]}',
            '{"spans": {}, "requests": 1}',
            '{"spans": {}, "timezone": ["UTC"]}',
        ),
    ],
)
def test_what_was_changed_is_refused(tmp_path, text):
    """With what to do."""
    (tmp_path / NAME).write_text(text)
    with pytest.raises(
        Refused, match=r"\.fetch\.json: is not as it was written; remove it: what is there stays"
    ):
        Notes.read(Folder(tmp_path))


def test_a_folder_is_one_projects(tmp_path):
    """What is not said is no contradiction."""
    notes = Notes(platform="mixpanel")
    notes.bind(Folder(tmp_path), platform="mixpanel", project="1", host=None)
    notes.bind(Folder(tmp_path), project=None)
    assert (notes.project, notes.host) == ("1", None)
    with pytest.raises(Refused, match="what is there is of project 1, found 2; fetch into another folder"):
        notes.bind(Folder(tmp_path), project="2")
