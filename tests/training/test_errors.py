from __future__ import annotations

import pytest

from features.runtime.errors import TrainingError
from training import errors

MESSAGES = [
    (
        errors.MissingColumnsError([f"column_{i}" for i in range(8)]),
        (
            "Expected every column of the spine, the catalogue and the labels; found none named "
            "column_0, column_1, column_2, column_3, column_4 and 3 more. Build the training rows "
            "again with this version of the program."
        ),
    ),
    (
        errors.MissingColumnsError(["market"]),
        (
            "Expected every column of the spine, the catalogue and the labels; found none named "
            "market. Build the training rows again with this version of the program."
        ),
    ),
    (
        errors.CatalogueMismatchError(expected="a" * 64, found=""),
        (
            "Expected training rows of catalogue aaaaaaaaaaaaaaaa…; found none named. Build the "
            "training rows again with this version of the program."
        ),
    ),
    (
        errors.MissingKeysError("category", 3),
        (
            "Expected category in every training row; found 3 rows without. Check the data set "
            "with `xuanpin check DIR`."
        ),
    ),
    (
        errors.NoLabelsError("return_risk", 120),
        (
            "Expected rows with a final return_risk; found none among 120 rows whose horizon is "
            "over. Add a longer history. Or leave the returns table out: sell-through is then "
            "trained alone."
        ),
    ),
    (
        errors.InvalidLabelsError("sell_through", broken=2, rows=50),
        (
            "Expected final sell_through labels within 0 and 1; found 2 of 50 missing or outside. "
            "Build the training rows again; if it stays so, report it."
        ),
    ),
    (
        errors.TooFewDaysToTuneError("sell_through", needed=90, found=60),
        (
            "Expected 90 days of training moments with a final sell_through, to tune on; found 60 "
            "days. Add a longer history, train without --trials, or lower latest_days or "
            "min_train_days in section [training]."
        ),
    ),
    (
        errors.TooFewDaysError("return_risk", needed=230, found=90),
        (
            "Expected 230 days of moments with a final return_risk; found 90 days. Add a longer "
            "history, or lower latest_days, calibration_days or min_train_days in section "
            "[training]. Or leave the returns table out: sell-through is then trained alone."
        ),
    ),
    (
        errors.TooFewRowsError("sell_through", "latest", needed=100, found=7),
        (
            "Expected 100 rows with a final sell_through in the latest slice; found 7 rows. Add "
            "more listings or a longer history."
        ),
    ),
    (
        errors.OneClassError("return_risk", "train", 0.0),
        (
            "Expected different values of return_risk in the train slice; found 0 in every row. "
            "Check that the outcomes' table (orders or returns) is complete. Or leave the returns "
            "table out: sell-through is then trained alone."
        ),
    ),
    (
        errors.TooFewPositivesError("return_risk", "train", needed=20, found=3),
        (
            "Expected 20 rows with a return_risk above 0 in the train slice; found 3 rows. Add a "
            "longer history or more listings. Or leave the returns table out: sell-through is "
            "then trained alone."
        ),
    ),
]


@pytest.mark.parametrize(("error", "message"), MESSAGES)
def test_training_error_says_what_was_expected_found_and_the_way_out(
    error: TrainingError, message: str
) -> None:
    assert str(error) == message
    assert error.exit_code == 4


def test_training_errors_are_all_listed_here() -> None:
    declared = {one for one in vars(errors).values() if isinstance(one, type)}
    own = {one for one in declared if one.__module__ == errors.__name__}
    assert {one for one in own if not one.__subclasses__()} == {type(one) for one, _ in MESSAGES}
