from __future__ import annotations

import numpy as np
import pytest

from tests.worlds.makers import draw_shares
from training.encoding.input_table import TableReader
from training.encoding.out_of_fold import encode_out_of_fold
from training.encoding.target_encoder import LabelledRows, LevelEncoder


@pytest.fixture(scope="module")
def rows() -> LabelledRows:
    market = draw_shares(400)
    table = TableReader.infer(market.X, ()).read(market.X)
    return LabelledRows(table.codes, market.y, market.trials)


@pytest.mark.parametrize("row", [0, 17, 399])
def test_no_row_is_encoded_by_its_own_label(row: int, rows: LabelledRows) -> None:
    encoder = LevelEncoder.fit(rows, (0, 1))
    share = rows.share.copy()
    share[row] = 1 - share[row]
    changed = LabelledRows(rows.codes, share, rows.trials)
    one = encode_out_of_fold(encoder, rows, 0.4, np.random.default_rng(0))
    other = encode_out_of_fold(encoder, changed, 0.4, np.random.default_rng(0))
    for way, changed_way in zip(one.encodings, other.encodings, strict=True):
        same = np.testing.assert_array_equal
        same(way.inputs[row], changed_way.inputs[row])
        assert way.baseline[row] == changed_way.baseline[row]
        assert (way.baseline != changed_way.baseline).any()


def test_second_way_shows_every_row_as_one_of_an_unseen_maker(rows: LabelledRows) -> None:
    encoder = LevelEncoder.fit(rows, (0, 1))
    known, unseen = encode_out_of_fold(encoder, rows, 0.4, np.random.default_rng(0)).encodings
    assert unseen.is_cold.all()
    assert known.is_cold.mean() < 0.1


def test_encoding_equals_that_of_an_encoder_of_the_other_folds(rows: LabelledRows) -> None:
    rng = np.random.default_rng(3)
    folds = np.random.default_rng(3).permutation(len(rows.share)) % 5
    encoder = LevelEncoder.fit(rows, (0, 1))
    known = encode_out_of_fold(encoder, rows, 1.0, rng).encodings[0]
    for row in (5, 123):
        others = encoder.refit(rows.take(folds != folds[row]))
        np.testing.assert_array_equal(known.inputs[row], others.encode(rows.codes[[row]]).inputs[0])
