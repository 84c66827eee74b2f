"""How files are written is said alike wherever they are read."""

from dataclasses import fields

from migrate.cli.options import SourceOptions
from migrate.cli.reading import InspectOptions, ReadingOptions, SpecOptions


def test_all_who_read_take_the_same():
    """So that what was looked at can be run with the same options."""
    same = {one.name for one in fields(ReadingOptions)}
    for kind in (InspectOptions, SourceOptions, SpecOptions):
        assert same <= {one.name for one in fields(kind)}
    assert {"encoding", "delimiter", "columns", "no_header"} <= same
