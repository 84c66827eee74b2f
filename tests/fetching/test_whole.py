"""A file is whole, and known by its rows; or it is told what is wrong with it."""

import gzip
import zipfile

import pytest

from migrate.fetching.whole import Cut, content, pack

ROWS = [b'{"event": "a", "n": %d}' % n for n in range(300)]


def zipped(path, *members):
    """A zip of these members."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path


def test_content_is_known_by_its_rows(tmp_path):
    """In whatever order, files, and packing they come; each of them counts, as often as it is there."""
    one = zipped(tmp_path / "1", ("7/a.gz", gzip.compress(b"\n".join(ROWS))))
    other = zipped(
        tmp_path / "2",
        ("7/", b""),
        ("7/a", b"\n".join(ROWS[:7])),
        ("7/b.gz", gzip.compress(b"\n".join(ROWS[:6:-1]))),
    )
    packed = tmp_path / "3"
    packed.write_bytes(b"\n\n".join(ROWS) + b"\n")
    pack(packed)
    before = packed.read_bytes()
    pack(packed)
    found = [content(one, "zip", "event"), content(other, "zip", "event"), content(packed, "gzip", "event")]
    assert [(each.rows, each.digest) for each in found] == [(300, found[0].digest)] * 3
    assert (found[0].projects, found[2].projects, packed.read_bytes()) == ({"7"}, set(), before)
    packed.write_bytes(b"\n".join([*ROWS, ROWS[0]]))
    assert (
        content(zipped(tmp_path / "4", ("a", packed.read_bytes())), "zip", "event").digest != found[0].digest
    )
    assert content(zipped(tmp_path / "5"), "zip", "event").rows == 0


def test_no_end_of_a_file_is_taken_for_its_end(tmp_path):
    """Wherever it is cut: in a zip, in a gzip in it, in the lines; and what was changed on its way is seen."""
    lines = gzip.compress(b"\n".join(ROWS))
    zipped(tmp_path / "whole", ("7/a.gz", lines))
    data = (tmp_path / "whole").read_bytes()
    for cut in (0, 1, 10, len(data) // 2, len(data) - 1):
        (tmp_path / "cut").write_bytes(data[:cut])
        with pytest.raises(Cut, match="ends before its end, or was changed"):
            content(tmp_path / "cut", "zip", "event")
    changed = bytearray(data)
    changed[60] ^= 1
    (tmp_path / "cut").write_bytes(changed)
    for path in (tmp_path / "cut", zipped(tmp_path / "inner", ("a", lines[:-3]))):
        with pytest.raises(Cut, match="ends before its end, or was changed"):
            content(path, "zip", "event")
    for end, place in ((b"PK\x01\x02", 8), (b"PK\x05\x06", 17)):  # "encrypted"; begins before the file does
        changed = bytearray(data)
        changed[data.rindex(end) + place] ^= 1
        (tmp_path / "cut").write_bytes(changed)
        with pytest.raises(Cut, match="ends before its end, or was changed"):
            content(tmp_path / "cut", "zip", "event")
    for cut in (1, 12, len(lines) - 1):
        (tmp_path / "cut").write_bytes(lines[:cut])
        with pytest.raises(Cut):
            content(tmp_path / "cut", "gzip", "event")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"\n".join(ROWS)[:-1], "it ends in the middle of a row"),
        (
            b"\n".join([*ROWS, b"export terminated early"]),
            "a line of it is no row ('export terminated early')",
        ),
        (b'{"error": "no such project"}', 'a line of it is no row (\'{"error": "no such project"}\')'),
        (b'{"event": "a"}\n{"event":}', "a row of it is no JSON"),
        (b"<html>" + b"x" * 200, f"a line of it is no row ('<html>{'x' * 74}')"),
    ],
)
def test_what_is_no_export_is_told(tmp_path, text, said):
    """By its lines, of which the first and the last are read."""
    (tmp_path / "a").write_bytes(text)
    pack(tmp_path / "a")
    with pytest.raises(Cut) as caught:
        content(tmp_path / "a", "gzip", "event")
    assert str(caught.value) == said


def test_reading_ends_once_nobody_wants_to_know(tmp_path):
    """In the middle of a file, however long it is."""
    path = tmp_path / "a"
    path.write_bytes(b"\n".join(ROWS))
    with pytest.raises(Cut, match="given up"):
        pack(path, lambda: True)
    pack(path)
    asked = iter([False, False, True])
    with pytest.raises(Cut, match="given up"):
        content(path, "gzip", "event", lambda: next(asked))


def test_a_disk_that_does_not_give_is_another_matter(tmp_path):
    """The export is not to blame."""
    with pytest.raises(FileNotFoundError):
        content(tmp_path / "nowhere", "gzip", "event")
