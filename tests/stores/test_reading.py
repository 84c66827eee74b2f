"""Ranges of an object → a file that can be read and sought in, whatever the order."""

import io
import threading

from hypothesis import given
from hypothesis import strategies as st

from migrate.stores.reading import Reader
from migrate.stores.tallies import BLOCK, Tally

DATA = bytes(n % 251 for n in range(BLOCK)) * 40 + b"the end"


class Ranges:
    """An object whose ranges are noted."""

    def __init__(self, data=DATA):
        self.data, self.asked, self.most = data, [], 0
        self._lock = threading.Lock()

    def read(self, start, end):
        """These bytes."""
        with self._lock:
            self.asked.append((start, end))
        return bytearray(self.data[start:end])

    def file(self, tally=None):
        """A file of them."""
        return io.BufferedReader(Reader(self.read, (self, "tag"), len(self.data), tally), 1 << 18)


def test_who_reads_from_front_to_back_gets_growing_ranges_each_once():
    """A first look costs one block; all bytes come once, and all are told by the tally."""
    data, tally = DATA * 3, Tally()
    ranges = Ranges(data)
    with ranges.file() as file:
        assert file.read(100) == data[:100]
    assert ranges.asked == [(0, BLOCK)]
    with ranges.file(tally) as file:
        assert b"".join(iter(lambda: file.read(100_000), b"")) == data
    sizes = [-(-(end - start) // BLOCK) for start, end in sorted(ranges.asked)]
    assert sizes[:7] == [1, 1, 1, 2, 4, 8, 16]
    assert set(sizes[7:-1]) == {32}
    assert sum(sizes) == -(-len(data) // BLOCK)
    assert tally.text().startswith(f"0-{sum(sizes) - 1}:")


@given(st.lists(st.tuples(st.integers(0, len(DATA) + 10), st.integers(0, 3 * BLOCK)), max_size=8))
def test_what_is_read_anywhere_is_what_stands_there(places):
    """Whole blocks are asked for, and what was read lately is not asked for again."""
    ranges, tally, there = Ranges(), Tally(), set()
    with ranges.file(tally) as file:
        for start, size in places:
            file.seek(start)
            assert file.read(size) == DATA[start : start + size]
            there |= {place // BLOCK for place in range(start, min(start + size, len(DATA)))[:: BLOCK // 4]}
    assert all(start % BLOCK == 0 for start, _ in ranges.asked)
    with io.BytesIO(DATA) as file, ranges.file() as other:
        assert file.seek(-5, io.SEEK_END) == other.seek(-5, io.SEEK_END)
        assert file.read() == other.read()


def test_columns_read_side_by_side_ask_for_each_block_once():
    """As Parquet is read: small pieces of several places in turn; a block that follows one is read ahead."""
    ranges, step = Ranges(), 1 << 16
    starts = [0, 10 * BLOCK, 20 * BLOCK]
    with ranges.file() as file:
        for place in range(0, 4 * BLOCK, step):
            for start in starts:
                file.seek(start + place)
                assert file.read(step) == DATA[start + place : start + place + step]
    assert len(ranges.asked) == len(set(ranges.asked))
    assert {start // BLOCK for start, _ in ranges.asked} >= {0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23}
    assert sum(end - start for start, end in ranges.asked) <= 18 * BLOCK


def test_what_cannot_be_read_is_raised_where_it_is_read_and_asked_for_anew():
    """Not kept, and not before."""
    ranges = Ranges()
    whole, ranges.data = ranges.data, None
    file = Reader(ranges.read, (ranges, "tag"), len(whole))
    for _ in range(2):
        try:
            file.read(10)
        except TypeError:
            continue
        raise AssertionError
    ranges.data = whole
    assert file.read(10) == DATA[:10]
