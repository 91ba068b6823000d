from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import lightgbm as lgb
import numpy as np
import pytest

from features.catalogue.catalogue import CATALOGUE
from serving.errors import BrokenFileError
from serving.prediction.booster import Booster, parse_feature_names
from tests.worlds.serving import PARAMETERS, bundle_contents, random_columns

MATRIX = CATALOGUE.design_matrix(random_columns(500, seed=9), PARAMETERS)


@pytest.fixture(scope="module")
def booster() -> Booster:
    return bundle_contents().models.targets["sell_through"].boosters[0]


def test_booster_gives_the_bits_of_lightgbm(booster: Booster) -> None:
    expected = lgb.Booster(model_str=booster.text).predict(MATRIX, num_threads=1)
    np.testing.assert_array_equal(booster.predict(MATRIX), expected)


def test_booster_predicts_a_row_the_same_alone_and_in_a_batch(booster: Booster) -> None:
    alone = [booster.predict(MATRIX[i : i + 1])[0] for i in range(len(MATRIX))]
    np.testing.assert_array_equal(booster.predict(MATRIX), alone)


def test_booster_takes_any_layout_of_the_matrix(booster: Booster) -> None:
    np.testing.assert_array_equal(
        booster.predict(np.asfortranarray(MATRIX)), booster.predict(MATRIX)
    )


def test_booster_shared_by_threads_answers_as_alone(booster: Booster) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: booster.predict(MATRIX), range(32)))
    for answer in answers:
        np.testing.assert_array_equal(answer, booster.predict(MATRIX))


def test_booster_with_another_width_is_refused(booster: Booster) -> None:
    with pytest.raises(BrokenFileError, match="inputs, not 3"):
        booster.predict(np.zeros((2, 3)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not a model", "Model file doesn't specify the number of classes"),
        ("tree\nnum_class=1\n", "Model file doesn't specify the label index"),
    ],
)
def test_booster_of_text_that_lightgbm_refuses_repeats_its_message(text: str, message: str) -> None:
    """An upgrade of LightGBM that words its messages differently fails here."""
    with pytest.raises(BrokenFileError) as caught:
        Booster(text)
    assert caught.value.problem == f"The bundle has a fault in a LightGBM model: {message}."


def test_text_of_lightgbm_has_the_form_that_is_read_without_loading(booster: Booster) -> None:
    header = booster.text.partition("\nTree=0\n")[0].splitlines()
    assert header[:2] == ["tree", "version=v4"]
    assert f"feature_names={' '.join(CATALOGUE.model_inputs)}" in header


def test_feature_names_are_read_without_loading(booster: Booster) -> None:
    assert parse_feature_names(booster.text) == CATALOGUE.model_inputs
    assert parse_feature_names("tree\nversion=v4\n") == ()
