"""Random numbers: one independent stream a mechanism and chunk, and no global state."""

from __future__ import annotations

import hashlib

import numpy as np


def generator(seed: int, mechanism: str, chunk: int = 0) -> np.random.Generator:
    """Return the stream of a mechanism in a chunk.

    Streams depend on nothing else: switching a mechanism off, or making other chunks, leaves the
    draws of all others as they are.
    """
    word = int.from_bytes(hashlib.blake2b(mechanism.encode(), digest_size=8).digest(), "big")
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, word, chunk])))
