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
        others = len(self.encodings) - 1
        chances = [self.known_share, *[(1 - self.known_share) / others] * others] if others else [1]
        way = rng.choice(len(self.encodings), rows, p=chances)
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
    encodings = [_encode_by_fold(encoder, rows, folds) for folds in _draw_folds(rows.codes, rng)]
    return OutOfFoldEncodings(tuple(encodings), known_share)


def _draw_folds(codes: IntArray, rng: np.random.Generator) -> Iterator[IntArray]:
    """Yield the fold of each row: by rows, then by the levels of each column with many levels."""
    yield rng.permutation(len(codes)) % FOLDS
    for column in codes.T:
        levels, level = np.unique(column, return_inverse=True)
        if levels.size >= MIN_LEVELS:
            yield (rng.permutation(levels.size) % FOLDS)[level]


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
