"""How the keys and vectors of all levels lie in arrays, for who writes and who finds them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from features.levels import Level

Words = npt.NDArray[np.uint64]
Slots = npt.NDArray[np.uint32]
Places = npt.NDArray[np.int64]

INDEX: Final = "index"
"""The kind under which a snapshot's file keeps the slots and keys of all levels."""
WORD_BYTES: Final = 8
HASH_BITS: Final = 32
NO_KEY: Final = 0xFFFF_FFFF_FFFF_FFFF
"""What no key's bytes are: UTF-8 has no 0xFF."""
_SLOTS_A_KEY: Final = 4
"""At least so many, for most keys to be alone in their slot."""


def slots_for(keys: int) -> int:
    """Return how many slots a level with so many keys has, a power of two from 2 on."""
    return 1 << min((_SLOTS_A_KEY * keys + 1).bit_length(), HASH_BITS)


def in_turn(levels: Iterable[Level]) -> list[Level]:
    """Return levels in the order in which their slots and keys follow each other."""
    return sorted(levels, key=list(Level).index)


def as_words(keys: Sequence[bytes], words: int) -> Words:
    """Return keys as rows of so many words, zeros behind them; longer ones are zeros alone."""
    most = words * WORD_BYTES
    if max(map(len, keys), default=0) > most:
        keys = [key if len(key) <= most else b"" for key in keys]
    return np.array(keys, f"S{most}").view("<u8").reshape(len(keys), words)
