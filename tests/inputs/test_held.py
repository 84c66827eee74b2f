"""Whether a source holds what it held is told by its bytes, wherever it lies."""

import json
import os
import zipfile

import pytest

from migrate.inputs.held import holds
from migrate.inputs.listing import sources
from migrate.inputs.source import fingerprint, stamp


def rejects(path, *values):
    """Write lines as a rejects.jsonl of ours has them."""
    lines = [{"file": "/in/b.jsonl", "row": 1, "reason": "no_event", "value": one} for one in values]
    path.write_text("".join(json.dumps(one | {"source": {}}) + "\n" for one in lines))


def write(path, *texts):
    """Write texts as lines, or as the members of an archive."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for place, text in enumerate(texts):
                archive.writestr(f"x/{place}.jsonl", text)
    else:
        (rejects(path, *texts) if "rejects" in path.name else path.write_text("\n".join(texts)))


@pytest.mark.parametrize("name", ["a[1]*!.jsonl", "a.zip", "rejects.jsonl"])
def test_a_source_is_told_by_its_bytes(tmp_path, name):
    """Touched, or written anew, it is what it was; not with another byte, or as another kind of file, or gone."""
    path = tmp_path / name
    write(path, '{"a": 1}')
    (source,) = sources([str(tmp_path)]).sources
    known = source.name, stamp(source), fingerprint(source)
    assert holds(*known)
    os.utime(path, (1e9, 1e9))
    assert holds(*known)
    path.unlink()
    assert not holds(*known)
    write(path, '{"a": 1}')
    assert holds(*known)
    write(path, '{"a": 1}', '{"a": 2}')
    assert holds(*known) == (name == "a.zip")
    write(path, '{"a": 3}')
    assert not holds(*known)
    path.write_bytes(b"PK\3\4")
    assert not holds(*known)
    path.write_bytes(b"")
    assert not holds(*known)
