"""Compressions come off by what the bytes are, and a damaged one gives all that was before."""

import bz2
import gzip
import io
import lzma

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED

from migrate.inputs.layers import MAX_LAYERS, compression, unwrap
from migrate.inputs.streams import Truncated, read_up_to

PACKS = {
    "gzip": gzip.compress,
    "zstd": zstandard.ZstdCompressor().compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
}
SUMMED = PACKS | {"zstd": zstandard.ZstdCompressor(write_checksum=True).compress}
WHERE = {"gzip": 6, "zstd": 2, "bz2": 2, "xz": 22}
"""How far from the end a byte of a sum is."""
KINDS = st.sampled_from([*PACKS])
TEXTS = st.binary(max_size=200).map(lambda data: b'{"a":' + data)


def packed(data, kinds):
    """Bytes packed in these ways, one after another."""
    for kind in kinds:
        data = PACKS[kind](data)
    return data


@COMPARED
@given(data=TEXTS, kinds=st.lists(KINDS, max_size=MAX_LAYERS))
def test_layers_come_off_in_any_order(data, kinds):
    """Up to four; plain bytes stay as they are."""
    assert unwrap(io.BytesIO(packed(data, kinds))).read() == data


def test_a_fifth_layer_stays():
    """It is no export any more."""
    fifth = PACKS["gzip"](b"x")
    assert unwrap(io.BytesIO(packed(fifth, ["xz", "bz2", "zstd", "gzip"]))).read() == fifth


@COMPARED
@given(data=st.lists(TEXTS, min_size=1, max_size=3), kind=KINDS, zeros=st.integers(0, 9))
def test_members_follow_one_another(data, kind, zeros):
    """As `cat` puts them together, and with zeros behind them, as tapes have them."""
    stored = b"\0" * zeros if kind in {"gzip", "xz"} else b""
    assert unwrap(io.BytesIO(b"".join(PACKS[kind](one) + stored for one in data))).read() == b"".join(data)


@COMPARED
@given(kind=KINDS, data=st.binary(min_size=50, max_size=2_000), cut=st.integers(0, 4_000))
def test_data_that_end_early_say_so_after_what_could_be_read(kind, data, cut):
    """However often they are asked."""
    whole = PACKS[kind](data)
    stream = unwrap(io.BytesIO(whole[: 10 + cut % (len(whole) - 10)]))
    found = read_up_to(stream, len(data) + 1)
    assert data.startswith(found)
    for _ in range(2):
        with pytest.raises(Truncated, match=rf"^the {kind} data (end early|are damaged: .*)$"):
            stream.read(1)


@pytest.mark.parametrize("kind", PACKS)
@pytest.mark.parametrize("count", [3, 50_000])
def test_a_sum_that_is_wrong_costs_nothing_before_it(kind, count):
    """All of a file whose end was overwritten is delivered, and then said to be damaged; inside of another, too."""
    data = b"".join(b'{"event":"e","n":%d}\n' % n for n in range(count))
    whole = bytearray(SUMMED[kind](data))
    whole[-WHERE[kind]] ^= 0xFF
    for stored in (bytes(whole), gzip.compress(bytes(whole))):
        stream = unwrap(io.BytesIO(stored))
        assert read_up_to(stream, len(data) + 1) == data
        with pytest.raises(Truncated, match=f"^the {kind} data are damaged: "):
            stream.read(1)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        *(pytest.param(pack(b"x")[:10], kind, id=kind) for kind, pack in PACKS.items()),
        pytest.param(b"BZh1,2,3,4", None, id="text that begins like bz2"),
        pytest.param(b"\x1f\x8b\x00", None, id="two bytes of gzip"),
        pytest.param(b"a,b\n1,2", None, id="text"),
        pytest.param(b"", None, id="nothing"),
    ],
)
def test_a_compression_is_told_by_its_first_bytes(head, kind):
    """A text that begins with its letters is none."""
    found = compression(head)
    assert (found and found[0]) == kind
