from __future__ import annotations

from features.runtime.errors import XuanpinError
from training.errors import (
    CatalogueMismatchError,
    InvalidLabelsError,
    MissingColumnsError,
    MissingKeysError,
    NoLabelsError,
    NoOriginError,
    OneClassError,
    SchedulerWithoutDaskError,
    TimeoutWithoutTrialsError,
    TooFewDaysError,
    TooFewPositivesError,
    TooFewRowsError,
)

SENTENCES: list[tuple[XuanpinError, str]] = [
    (
        NoOriginError(4, TooFewDaysError("sell_through", needed=180, days=90)),
        (
            "No model can be trained at any of 4 origins. At the latest: Training needs 180 days "
            "of rows with a final sell_through, but the data have 90. Add a longer history, or "
            "lower latest_days or min_train_days in section [training]."
        ),
    ),
    (
        TimeoutWithoutTrialsError(),
        (
            "The option --timeout ends a search for settings, and none is requested. "
            "Add --trials, or leave --timeout out."
        ),
    ),
    (
        SchedulerWithoutDaskError(),
        (
            "The option --scheduler names a Dask cluster, but the training runs on this machine. "
            "Add --engine dask, or leave --scheduler out."
        ),
    ),
    (
        MissingColumnsError([f"column_{i}" for i in range(8)]),
        (
            "The training rows lack columns: column_0, column_1, column_2, column_3, column_4 and "
            "3 more. Build the training rows again with this version of the program."
        ),
    ),
    (
        MissingColumnsError(["market"]),
        (
            "The training rows lack columns: market. Build the training rows again with this "
            "version of the program."
        ),
    ),
    (
        CatalogueMismatchError(expected="a" * 64, actual=""),
        (
            "Expected training rows of catalogue aaaaaaaaaaaaaaaa…; found none. Build the training "
            "rows again with this version of the program."
        ),
    ),
    (
        CatalogueMismatchError(expected="a" * 64, actual="b" * 64),
        (
            "Expected training rows of catalogue aaaaaaaaaaaaaaaa…; found bbbbbbbbbbbbbbbb…. Build "
            "the training rows again with this version of the program."
        ),
    ),
    (
        MissingKeysError("category", 3),
        (
            "The category is missing in 3 of the training rows. Check the data set with `xuanpin "
            "check DIR`."
        ),
    ),
    (
        NoLabelsError("return_risk", 120),
        (
            "No row has a final return_risk (the horizon of 120 rows is over). Add a longer "
            "history. Or leave the returns table out: sell-through is then trained alone."
        ),
    ),
    (
        InvalidLabelsError("sell_through", invalid=2, rows=50),
        (
            "2 of 50 final sell_through labels are missing or outside 0 and 1. Build the training "
            "rows again. If it happens again, report it."
        ),
    ),
    (
        TooFewDaysError("return_risk", needed=230, days=90),
        (
            "Training needs 230 days of rows with a final return_risk, but the data have 90. Add a "
            "longer history, or lower latest_days or min_train_days in section "
            "[training]. Or leave the returns table out: sell-through is then trained alone."
        ),
    ),
    (
        TooFewRowsError("sell_through", "latest", needed=100, rows=7),
        (
            "The latest slice needs 100 rows with a final sell_through, but has 7. Add more "
            "listings or a longer history."
        ),
    ),
    (
        OneClassError("return_risk", "train", 0.0),
        (
            "Every return_risk in the train slice is 0. Check that the table of outcomes (orders "
            "or returns) is complete. Or leave the returns table out: sell-through is then trained "
            "alone."
        ),
    ),
    (
        TooFewPositivesError("return_risk", "train", needed=20, positives=3),
        (
            "The train slice needs 20 rows with a return_risk above 0, but has 3. Add a longer "
            "history or more listings. Or leave the returns table out: sell-through is then "
            "trained alone."
        ),
    ),
]
