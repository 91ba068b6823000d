"""How the members of the portfolio see the rows of a fit."""

from __future__ import annotations

import numpy as np
import pytest

from tests.worlds.makers import draw_shares
from training.encoding.input_table import TableReader
from training.encoding.target_encoder import LabelledRows
from training.estimators.boosted_shares import BoostingConfig
from training.estimators.member_inputs import MemberInputs
from training.portfolio.members import ENCODINGS, Encoding
from training.settings import TrainingSettings

MARKET = draw_shares(300)


@pytest.mark.parametrize("encoding", sorted(ENCODINGS))
def test_each_booster_draws_its_own_encodings(encoding: Encoding) -> None:
    inputs = _member_inputs()
    first, second = inputs.draw(encoding), inputs.draw(encoding)
    assert not np.array_equal(first.matrix, second.matrix, equal_nan=True)


@pytest.mark.parametrize(("encoding", "codes"), [("effects", 0), ("effects_and_codes", 3)])
def test_effects_come_with_codes_only_if_asked(encoding: Encoding, codes: int) -> None:
    inputs = _member_inputs()
    plain = inputs.draw("effects").matrix.shape[1]
    drawn = inputs.draw(encoding)
    assert (drawn.matrix.shape[1], drawn.native) == (plain + codes, codes)


def _member_inputs() -> MemberInputs:
    reader = TableReader.infer(MARKET.X, ("region",))
    table = reader.read(MARKET.X)
    rows = LabelledRows(table.codes, MARKET.y, MARKET.trials)
    boosting = BoostingConfig(
        settings=TrainingSettings(),
        known_share=0.5,
        path=(0,),
        monotone=(0,) * table.numbers.shape[1],
    )
    return boosting.member_inputs(table, rows, boosting.fit_rates(rows))
