from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from features.catalogue.catalogue import CATALOGUE
from features.declarations.targets import TARGETS, Target
from features.monitoring.reference_stats import describe_inputs
from serving.bundle.canary import check_canary, make_canary
from serving.bundle.manifest import canonical_json
from serving.bundle.model_files import (
    POOLING,
    load_models,
    model_files,
)
from serving.bundle.stored_models import CALIBRATION, CONFORMAL, SELECTION
from serving.errors import BrokenFileError, MissingFileError
from tests.worlds.serving import bundle_contents, random_columns, random_markets

Files = dict[str, bytes]
Edit = Callable[[Files], Files]


def _edit(name: str, **changes: object) -> Callable[[Files], Files]:
    def edit(files: Files) -> Files:
        content = msgspec.json.decode(files[name])
        return {**files, name: canonical_json({**content, **changes})}

    return edit


LINE = {"x": [0.0], "y": [0.0]}
ONE_CELL = {"count": 1, "values": [0.0]}
FLAT = {"estimates": [0.5], "sizes": [0.1], "units": [1.0], "factors": [1.0]}


def _cells(cells: dict[str, object]) -> Callable[[Files], Files]:
    return _edit(CONFORMAL, return_risk={"difficulty": FLAT, "cells": cells})


def _spread(**changes: object) -> Callable[[Files], Files]:
    return _edit(
        CONFORMAL, return_risk={"difficulty": {**FLAT, **changes}, "cells": {"all": ONE_CELL}}
    )


def _past(estimate: list[float], outcome: list[float], evidence: list[str]) -> Edit:
    listings = [*range(len(estimate))]
    calibration_sample = {
        "estimate": estimate,
        "outcome": outcome,
        "evidence": evidence,
        "listings": listings,
    }
    return _edit(SELECTION, return_risk=calibration_sample)


def _without_target(name: str) -> Edit:
    def edit(files: Files) -> Files:
        content = msgspec.json.decode(files[name])
        del content["return_risk"]
        return {**files, name: canonical_json(content)}

    return edit


def _demand(**changes: object) -> Edit:
    curve = {"shift": 1.0, "stretch": 1.0, "sharpness": 1.5, "chance": 0.8, **changes}
    return _edit(CALIBRATION, sell_through=curve)


def _tails(values: list[float], **changes: object) -> Edit:
    cell = {"count": len(values), "values": values, **changes}
    return _edit(CONFORMAL, sell_through={"cells": {"all": cell}})


def _replace(name: str, data: bytes) -> Callable[[Files], Files]:
    return lambda files: {**files, name: data}


def _without(name: str) -> Callable[[Files], Files]:
    return lambda files: {other: data for other, data in files.items() if other != name}


def test_models_written_and_read_answer_the_same() -> None:
    models = bundle_contents().models
    again = load_models(model_files(models), CATALOGUE, TARGETS)
    check_canary(again, make_canary(models, random_columns(20, seed=51), random_markets(20)))
    assert model_files(again) == model_files(models)


@pytest.mark.parametrize(
    ("edit", "refusal", "message"),
    [
        (_without(POOLING), MissingFileError, POOLING),
        (_without("sell_through.0.txt"), MissingFileError, "sell_through.0.txt"),
        (_replace(CALIBRATION, b"{"), BrokenFileError, "truncated"),
        (_replace(CALIBRATION, b"{}"), BrokenFileError, "missing required field `sell_through`"),
        (_without_target(CALIBRATION), BrokenFileError, "targets"),
        (_without_target(CONFORMAL), BrokenFileError, "targets"),
        (_without_target(SELECTION), BrokenFileError, "targets"),
        (_replace(CONFORMAL, b'{"\xff"'), BrokenFileError, CONFORMAL),
        (
            _edit(CALIBRATION, margin=LINE),
            BrokenFileError,
            "unknown field `margin`",
        ),
        (_edit(CALIBRATION, return_risk={"x": [0]}), BrokenFileError, "missing required field"),
        (_edit(CONFORMAL, return_risk={}), BrokenFileError, "missing required field"),
        (_cells({}), BrokenFileError, "no cell of all rows"),
        (_cells({"every": ONE_CELL}), BrokenFileError, "a cell 'every'"),
        (_cells({"all": ONE_CELL, "all/hot": ONE_CELL}), BrokenFileError, "no such evidence"),
        (_cells({"all": ONE_CELL, "all/some/DE": ONE_CELL}), BrokenFileError, "its parent"),
        (_spread(sizes=[0]), BrokenFileError, "outside 1e-06"),
        (_spread(sizes=[]), BrokenFileError, "knots"),
        (_spread(sizes=[None]), BrokenFileError, "Expected `float`"),
        (_spread(more=1), BrokenFileError, "unknown field"),
        (
            _edit(CONFORMAL, return_risk={"lasting": 0.5, "cells": {"all": ONE_CELL}}),
            BrokenFileError,
            "unknown field `lasting`",
        ),
        (_demand(shift=None), BrokenFileError, "got `null` - at `.*shift`"),
        (_demand(shift="1"), BrokenFileError, "Expected `float`, got `str`"),
        (_demand(stretch=-1e-9), BrokenFileError, "a stretch outside 0 to 20"),
        (_demand(stretch=20.1), BrokenFileError, "a stretch outside 0 to 20"),
        (_demand(sharpness=0.19), BrokenFileError, "a sharpness outside 0.2 to 10"),
        (_demand(sharpness=10.1), BrokenFileError, "a sharpness outside 0.2 to 10"),
        (_demand(chance=0.0), BrokenFileError, "a chance outside 0.01 to 1"),
        (_demand(knots=[1.0]), BrokenFileError, "unknown field `knots`"),
        (
            _replace(
                CALIBRATION,
                b'{"sell_through":{"shift":1e999,"stretch":1,"sharpness":1,"chance":1}}',
            ),
            BrokenFileError,
            "Number out of range",
        ),
        (_edit(CALIBRATION, sell_through=LINE), BrokenFileError, "unknown field `x`"),
        (_edit(CONFORMAL, sell_through={}), BrokenFileError, "missing required field `cells`"),
        (
            _edit(CONFORMAL, sell_through={"difficulty": FLAT, "cells": {"all": ONE_CELL}}),
            BrokenFileError,
            "unknown field `difficulty`",
        ),
        (_edit(CONFORMAL, sell_through={"cells": {}}), BrokenFileError, "no cell of all rows"),
        (_tails([-0.01, 0.5]), BrokenFileError, r"a tail outside \[0, 1\]"),
        (_tails([0.5, 1.01]), BrokenFileError, r"a tail outside \[0, 1\]"),
        (_tails([0.5, 0.2]), BrokenFileError, "residuals out of order"),
        (_tails([]), BrokenFileError, ">= 1"),
        (_tails([0.5], count=2), BrokenFileError, "a wrong count"),
        (_tails([0.5], count=1 << 60), BrokenFileError, "<= 9007199254740992"),
        (_edit(SELECTION, return_risk={}), BrokenFileError, "missing required field"),
        (_past([0.5], [2.0], ["some"]), BrokenFileError, "outside"),
        (_past([0.5], [0.5], ["hot"]), BrokenFileError, "Invalid enum value"),
        (_past([0.5], [0.5], []), BrokenFileError, "unequal length"),
        (_edit(POOLING, return_rate_mean="high"), BrokenFileError, "Expected `float`"),
        (_replace("return_risk.1.txt", b"pickle"), BrokenFileError, "not LightGBM text"),
        (_replace("return_risk.1.txt", b"tree\n\0"), BrokenFileError, "not LightGBM text"),
        (_replace("return_risk.1.txt", "tree\né".encode()), BrokenFileError, "not LightGBM text"),
        (_replace("return_risk.1.txt", b"tree\n"), BrokenFileError, "input columns aren't"),
    ],
)
def test_models_of_broken_files_are_refused_before_lightgbm_sees_them(
    edit: Callable[[Files], Files], refusal: type[BrokenFileError], message: str
) -> None:
    files = edit(model_files(bundle_contents().models))
    with pytest.raises(refusal, match=message):
        load_models(files, CATALOGUE, TARGETS)


@pytest.mark.parametrize("targets", [("sell_through",), ()])
def test_models_of_files_about_other_targets_are_refused(targets: tuple[Target, ...]) -> None:
    files = model_files(bundle_contents().models)
    with pytest.raises(BrokenFileError, match=CALIBRATION):
        load_models(files, CATALOGUE, targets)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_canonical_json_of_a_number_that_isnt_finite_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json({"a": [number]})


def test_canonical_json_is_one_text_whatever_the_order_of_keys() -> None:
    assert canonical_json({"b": 1, "a": 0.1}) == canonical_json({"a": 0.1, "b": 1})
    assert canonical_json({"名": 1e-17}) == '{\n "名": 1e-17\n}\n'.encode()


def test_reference_stats_describe_each_input() -> None:
    matrix = np.full((100, len(CATALOGUE.model_inputs)), np.nan)
    matrix[:, 0] = np.arange(100)
    matrix[:25, 1] = 7
    stats = describe_inputs(CATALOGUE, matrix)
    first, second, third = list(stats.values())[:3]
    assert list(stats) == list(CATALOGUE.model_inputs)
    assert (first.missing_share, first.deciles) == (0, (0, *range(9, 100, 10)))
    assert (second.missing_share, second.deciles) == (0.75, (7.0,) * 11)
    assert (third.missing_share, third.deciles) == (1.0, ())


def test_bundle_files_are_ones_that_serving_reads(run_directory: Path) -> None:
    (directory,) = (path for path in (run_directory / "bundles").iterdir() if path.is_dir())
    assert sorted(path.name for path in directory.iterdir()) == [
        "MODEL_CARD.md",
        "calibration.json",
        "canary.json",
        "conformal.json",
        "manifest.json",
        "pooling.json",
        "ranges.json",
        "reference_stats.json",
        "return_risk.0.txt",
        "return_risk.1.txt",
        "schema.json",
        "selection.json",
        "sell_through.0.txt",
        "sell_through.1.txt",
        "usual.json",
    ]
