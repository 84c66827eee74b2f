"""A large file for every platform that is tried, and what is alike in two plans of it."""

from samples import SAMPLES

CASES = {
    "ga4": "events_20240403.jsonl",
    "mixpanel": "export/2024-03-04.jsonl",
    "mparticle": "Birch_20240403101500_48213.jsonl",
    "segment": "warehouse/tracks.csv",
    "snowplow": "warehouse/events.csv",
}
ALIKE = ("payloads", "numbers", "rejects", "inputs", "aside", "warnings")


def file_of(folder, platform):
    """A file of a platform's sample, rows that are rejected among the others."""
    path = SAMPLES / platform / CASES[platform]
    lines = path.read_bytes().splitlines(keepends=True)
    bad = b"oops\n" if path.suffix == ".csv" else b'{"oops": \n[]}\n'
    found = folder / path.name
    found.write_bytes(b"".join([*lines[:2], bad, *lines[2:-1], bad, lines[-1]]))
    return found


def compare(one, other):
    """Compare two plans."""
    assert one.payloads
    for name in ALIKE:
        assert getattr(one, name) == getattr(other, name), name
    assert seen(one.look) == seen(other.look)
    assert all(row in one.samples for row in other.samples)  # the first rows of the first slice


def seen(look):
    """What was seen, but for values that are looked at closely: of each chunk those of some events."""
    properties = {name: one.filled for name, one in look.properties.items()}
    return vars(look) | {"properties": properties}
