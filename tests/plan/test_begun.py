"""Another Python knows where ours has its modules from, hears what it is told, and no signal of a terminal's."""

import os
import tempfile

from migrate.plan.begun import begun


def test_it_runs_a_module_at_the_end_of_a_connection(tmp_path, monkeypatch):
    """In a group of its own; what it writes goes where it was said."""
    text = """
        import os
        from multiprocessing.connection import Connection
        def main(number):
            there = Connection(number)
            print("said", flush=True)
            there.send((there.recv(), os.getpgid(0) == os.getpid(), os.read(0, 1)))
    """
    (tmp_path / "begunhere.py").write_text("\n".join(line[8:] for line in text.splitlines()))
    monkeypatch.syspath_prepend(tmp_path)
    with tempfile.TemporaryFile() as output:
        process, connection = begun("begunhere", output)
        with connection:
            connection.send("told")
            assert connection.recv() == ("told", True, b"")
        assert process.wait(60) == 0
        assert os.pread(output.fileno(), 100, 0) == b"said\n"
