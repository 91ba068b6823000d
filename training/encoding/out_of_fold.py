"""Encode rows out of fold, in each of the ways in which a row may be new at prediction.

An encoder that has seen a row's own label would leak it to the booster. So each row is encoded from
folds that it isn't in. If folds were made of rows alone, the booster would learn that nearly every
maker and category is known, and would predict new ones badly. So for a share of the rows a fold
holds all rows of a level at once: the encoder of such a row has seen nothing of its maker, or of
its category, as if it were unseen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from features.runtime.arrays import IntArray
from training.encoding.target_encoder import EncodedRows, LabelledRows, LevelEncoder

FOLDS: Final = 5
MIN_LEVELS: Final = 10
"""A column with fewer levels is taken to have no new ones at prediction."""


@dataclass(frozen=True)
class OutOfFoldEncodings:
    """Rows encoded in each way of being new; in the first way, only the row itself is new."""

    encodings: tuple[EncodedRows, ...]
    known_share: float

    def draw(self, rng: np.random.Generator) -> EncodedRows:
        """Draw one way for each row; the first way has probability `known_share`."""
        rows = len(self.encodings[0].baseline)
        way = draw_ways(rows, len(self.encodings), self.known_share, rng)
        row = np.arange(rows)
        return EncodedRows(
            np.stack([encoded.inputs for encoded in self.encodings])[way, row],
            np.stack([encoded.baseline for encoded in self.encodings])[way, row],
            np.stack([encoded.is_cold for encoded in self.encodings])[way, row],
        )


def encode_out_of_fold(
    encoder: LevelEncoder, rows: LabelledRows, known_share: float, rng: np.random.Generator
) -> OutOfFoldEncodings:
    """Encode the rows that `encoder` was fitted on, each without its own fold."""
    encodings = [_encode_by_fold(encoder, rows, folds) for _, folds in draw_folds(rows.codes, rng)]
    return OutOfFoldEncodings(tuple(encodings), known_share)


def draw_ways(rows: int, ways: int, known_share: float, rng: np.random.Generator) -> IntArray:
    """Draw one way of being new for each row; the first has probability `known_share`."""
    others = ways - 1
    chances = [known_share, *[(1 - known_share) / others] * others] if others else [1]
    return np.asarray(rng.choice(ways, rows, p=chances), np.int64)


def draw_folds(codes: IntArray, rng: np.random.Generator) -> Iterator[tuple[int | None, IntArray]]:
    """Yield the fold of each row: by rows, then by the levels of each column with many levels.

    Each comes with the column whose levels are in one fold, None for the folds by rows.
    """
    yield None, rng.permutation(len(codes)) % FOLDS
    for number, column in enumerate(codes.T):
        levels, level = np.unique(column, return_inverse=True)
        if levels.size >= MIN_LEVELS:
            yield number, (rng.permutation(levels.size) % FOLDS)[level]


def _encode_by_fold(encoder: LevelEncoder, rows: LabelledRows, folds: IntArray) -> EncodedRows:
    parts = [
        encoder.refit(rows.take(folds != fold)).encode(rows.codes[folds == fold])
        for fold in range(FOLDS)
    ]
    order = np.argsort(np.argsort(folds, kind="stable"), kind="stable")
    joined = EncodedRows(
        np.concatenate([part.inputs for part in parts]),
        np.concatenate([part.baseline for part in parts]),
        np.concatenate([part.is_cold for part in parts]),
    )
    return joined.take(order)
