"""Random numbers: an independent stream for each mechanism and chunk, without global state."""

from __future__ import annotations

import hashlib

import numpy as np


def generator(seed: int, mechanism: str, chunk: int = 0) -> np.random.Generator:
    """Return the random stream of a mechanism in a chunk.

    Streams depend on nothing else: switching a mechanism off, or simulating other chunks, doesn't
    change the draws of the others.
    """
    word = int.from_bytes(hashlib.blake2b(mechanism.encode(), digest_size=8).digest(), "big")
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, word, chunk])))
