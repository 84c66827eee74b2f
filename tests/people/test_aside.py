"""What is written aside is read once, in the pieces in which it was written."""

import polars as pl

from migrate.people.aside import FrameFile, taken


def test_frames_come_back_once(tmp_path):
    """Nulls and empty texts included; of no row there is no file."""
    frames = [pl.DataFrame({"a": ["x", None]}), pl.DataFrame({"a": ["", "\x1fkey"]})]
    file, none = FrameFile(tmp_path / "s" / "1.links"), FrameFile(tmp_path / "s" / "2.links")
    for frame in (frames[0], frames[0].clear(), frames[1]):
        file.write(frame)
    none.write(frames[0].clear())
    assert none.close() == []
    (path,) = file.close()
    assert [frame.to_dict(as_series=False) for frame in taken([path])] == [
        frame.to_dict(as_series=False) for frame in frames
    ]
    assert not path.exists()
