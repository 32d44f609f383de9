"""What is packed comes back byte for byte, and small."""

from __future__ import annotations

import json
import zlib

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from queue_store.packing import pack, unpack
from queue_store.payloads import encode
from tests.harness import recorded_order
from woo_bridge.translate_orders import translate_order


@given(st.binary(max_size=5000))
def test_any_bytes_come_back_as_they_were(data: bytes) -> None:
    assert unpack(pack(data)) == data


def test_an_order_takes_a_third_less_than_it_would_without_the_shared_words() -> None:
    payload = encode(translate_order(json.dumps(recorded_order("plain")).encode()))
    assert len(pack(payload)) * 3 < len(zlib.compress(payload, 1)) * 2


def test_what_was_packed_under_another_dictionary_or_was_damaged_is_never_taken_for_something_else() -> None:
    stored = pack(b"an order")
    with pytest.raises(KeyError):
        unpack(b"\xff" + stored[1:])
    with pytest.raises(zstandard.ZstdError):
        unpack(stored[:1] + b"nonsense")
    flipped = bytearray(pack(bytes(range(256))))
    flipped[100] ^= 1
    with pytest.raises(zstandard.ZstdError):
        unpack(bytes(flipped))


def test_what_this_version_packed_once_can_be_read_for_ever() -> None:
    # Packed by the first version; a change of dictionary 1 would make every stored order unreadable.
    assert (
        unpack(bytes.fromhex("0128b52ffd2431450000087d01002d308240c59c92bc"))
        == b'{"order_id":1,"number":"1","status":"processing"}'
    )
