from __future__ import annotations

from dataclasses import replace

import pytest

from features.catalogue.catalogue import CATALOGUE
from features.dataset.days import to_datetime
from features.declarations.targets import Target
from tests.worlds.training import HORIZONS, QUICK
from training.data.training_input import TrainingRecipe
from training.data.training_set import TrainingSet
from training.evaluation.evaluate import Evaluation
from training.evaluation.judge import COLD, MODEL
from training.evaluation.model_card import BOOSTER_SETTINGS, model_card
from training.fit.train import TrainOutput
from training.metrics.bootstrap import BootstrapInterval
from training.search_space import SEARCH_SPACE
from training.settings import TrainingSettings

RECIPE = TrainingRecipe(HORIZONS, CATALOGUE, QUICK)
NO_COLD = "the latest slice has no cold start"
ONE_CELL = "there are too few cold starts for residuals of their own"
NOT_BETTER = "Sell-through: on the latest slice the model is not clearly better than shrinkage."


def _changed(evaluation: Evaluation, *, low: float = 1.0, cold: bool = True) -> Evaluation:
    """Set what the limits are drawn from."""
    losses = ("log_loss", "mean_absolute_error")
    gains = {
        name: {loss: BootstrapInterval(2.0, low, 3.0) for loss in losses} for name in ["shrinkage"]
    }
    groups = {COLD: evaluation.overall} if cold else {}
    return replace(evaluation, differences=gains, by_group=groups, cells_merged=not cold)


def _card(training_set: TrainingSet, evaluation: Evaluation) -> str:
    return model_card(training_set, RECIPE, {"sell_through": evaluation})


def test_card_holds_what_a_reader_must_know(
    trained: TrainOutput, training_set: TrainingSet
) -> None:
    card = trained.contents.model_card
    assert f"ordered within {HORIZONS.horizon_days} days" in card
    assert f"{(training_set.masked == 0).sum():,} rows of 100 products in 4 markets" in card
    assert f"known up to {to_datetime(training_set.cut_off_day).date()}" in card
    assert training_set.digest in card
    for title in ("## Sell-through", "## Return risk", "## Known limits"):
        assert title in card


def test_card_says_which_outcomes_of_the_latest_slices_were_learned(
    trained: TrainOutput, training_set: TrainingSet
) -> None:
    own = "No outcome of a target's latest slice shaped its model, calibration or intervals."
    other = "that model may have learned from days of return risk's latest slice."
    assert own in trained.contents.model_card
    assert other in trained.contents.model_card
    alone = _card(training_set, trained.evaluations["sell_through"])
    assert own in alone
    assert other not in alone


@pytest.mark.parametrize(("origins", "said"), [(1, "at one moment, models"), (3, "at 3 moments,")])
def test_card_says_what_the_model_and_its_calibration_learned_from(
    origins: int, said: str, trained: TrainOutput, training_set: TrainingSet
) -> None:
    evaluation = replace(trained.evaluations["sell_through"], origins=origins)
    card = _card(training_set, evaluation)
    known = trained.splits["sell_through"].known.rows
    originals = (training_set.masked[known] == 0).sum()
    assert f"all {originals:,} rows whose outcome was final before the latest slice" in card
    assert said in card


@pytest.mark.parametrize("target", ["sell_through", "return_risk"])
def test_card_shows_the_model_beside_each_baseline(target: Target, trained: TrainOutput) -> None:
    evaluation = trained.evaluations[target]
    lines = trained.contents.model_card.splitlines()
    for name, metrics in evaluation.overall.items():
        start = f"| {name.replace('_', ' ')} | {metrics.rows:,} | {metrics.log_loss:.4f} |"
        assert any(line.startswith(start) for line in lines)
    shrinkage = evaluation.differences["shrinkage"]["log_loss"]
    gained = " | ".join(f"{one:+.5f}" for one in (shrinkage.mean, shrinkage.low, shrinkage.high))
    assert f"| shrinkage | log loss | {gained} |" in lines


@pytest.mark.parametrize(
    ("imputed", "statement"),
    [
        (("stock",), "**Imputed:** stock. The source doesn't have these tables"),
        (("prices", "stock"), "**Imputed:** prices, stock."),
    ],
)
def test_card_says_what_was_imputed(
    imputed: tuple[str, ...], statement: str, trained: TrainOutput, training_set: TrainingSet
) -> None:
    training_set = replace(training_set, imputed=imputed)
    assert statement in model_card(training_set, RECIPE, trained.evaluations)


def test_card_of_observed_tables_speaks_of_nothing_imputed(
    trained: TrainOutput, training_set: TrainingSet
) -> None:
    card = model_card(replace(training_set, imputed=()), RECIPE, trained.evaluations)
    assert "mputed" not in card


@pytest.mark.parametrize(
    ("low", "cold", "said", "unsaid"),
    [
        (0.5, True, [], [NOT_BETTER, NO_COLD, ONE_CELL]),
        (-0.5, True, [NOT_BETTER], [NO_COLD, ONE_CELL]),
        (0.5, False, [NO_COLD, ONE_CELL], [NOT_BETTER]),
    ],
)
def test_card_limits_follow_from_the_evaluation(
    low: float,
    cold: bool,  # noqa: FBT001 - a column of the table
    said: list[str],
    unsaid: list[str],
    trained: TrainOutput,
    training_set: TrainingSet,
) -> None:
    evaluation = _changed(trained.evaluations["sell_through"], low=low, cold=cold)
    limits = _card(training_set, evaluation).partition("## Known limits")[2]
    assert all(limit in limits for limit in said)
    assert not any(limit in limits for limit in unsaid)


@pytest.mark.parametrize(
    ("share", "said"), [(0.0, False), (0.704, True)], ids=["a whole year", "less than a year"]
)
def test_card_says_whether_the_season_could_be_known(
    share: float, *, said: bool, trained: TrainOutput, training_set: TrainingSet
) -> None:
    evaluation = replace(trained.evaluations["sell_through"], unseen_season=share)
    limit = "70.4% of the latest decisions look ahead to days of the year"
    assert (limit in _card(training_set, evaluation)) is said


@pytest.mark.parametrize(
    ("without", "said"),
    [
        (None, "Their season is unknown, and adds to the calibration error. Answers"),
        (0.0417, "0.0417 without it. Baselines don't use the calendar. Answers for such days have"),
    ],
)
def test_card_says_what_stood_in_for_a_season_never_seen(
    without: float | None, said: str, trained: TrainOutput, training_set: TrainingSet
) -> None:
    evaluation = trained.evaluations["sell_through"]
    plain = evaluation.overall["model"]
    if without is not None:
        plain = replace(plain, calibration_error=without)
    card = _card(
        training_set,
        replace(
            evaluation,
            unseen_season=1.0,
            without_calendar=None if without is None else plain,
        ),
    )
    assert said in card


def test_card_without_returns_says_so_once_and_nothing_else_of_return_risk(
    trained_without_returns: TrainOutput,
) -> None:
    card = trained_without_returns.contents.model_card
    said = "The data have no returns, so the bundle doesn't predict return risk."
    assert card.count(said) == 1
    assert "eturn" not in card.replace(said, "")
    assert f"ordered within {HORIZONS.horizon_days} days (sell-through). They rank" in card


def test_card_with_returns_says_whose_risk_it_knows(trained: TrainOutput) -> None:
    card = trained.contents.model_card
    assert "The data have no returns" not in card
    assert f"comes back within {HORIZONS.return_window_days} days of delivery (return" in card
    assert "- Return risk: only rows with at least one ordered unit" in card


def _settings_of(card: str) -> dict[str, tuple[str, str]]:
    """Return the value of each setting that a card names, and whether it was tuned."""
    section = card.partition("## Settings\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    return {name: (value, tuned) for name, value, tuned in cells}


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "None of them was tuned"), (1200, "The tuned ones are the best of 1,200 trials")],
)
def test_card_says_which_settings_were_tuned_and_to_what(
    count: int, said: str, trained: TrainOutput, training_set: TrainingSet
) -> None:
    found = QUICK.model_copy(update={"learning_rate": 0.051895221650230125, "trees": 147})
    card = model_card(
        training_set, replace(RECIPE, settings=found, trials=count), trained.evaluations
    )
    assert said in card
    settings = _settings_of(card)
    assert settings["learning_rate"] == ("0.051895221650230125", "yes" if count else "no")
    named = {name: value for name, (value, _) in settings.items()}
    assert TrainingSettings.model_validate(QUICK.model_dump() | named) == found
    tuned = {name for name, (_, is_tuned) in settings.items() if is_tuned == "yes"}
    assert tuned == ({one.name for one in SEARCH_SPACE} if count else set())


def test_card_leaves_out_the_settings_that_make_no_booster(trained: TrainOutput) -> None:
    shown_elsewhere = {"latest_days", "calibration_days", "interval_coverage", "seasonal_uplifts"}
    shown_elsewhere |= {"sell_through_threshold", "return_risk_threshold"}
    without_trace = {"min_train_days", "min_rows", "min_positives"}
    without_trace |= {"threads", "tracking_uri", "experiment"}
    named = set(_settings_of(trained.contents.model_card))
    assert named == set(BOOSTER_SETTINGS)
    assert named == set(TrainingSettings.model_fields) - shown_elsewhere - without_trace


def test_card_tables_have_as_many_cells_as_headings(trained: TrainOutput) -> None:
    blocks = trained.contents.model_card.split("\n\n")
    tables = [block.splitlines() for block in blocks if block.startswith("|")]
    assert len(tables) == 11
    assert all(len({line.count("|") for line in table}) == 1 for table in tables)
    assert MODEL in trained.contents.model_card


@pytest.mark.parametrize("count", [0, 12])
def test_card_says_how_many_rows_count_for_less_than_they_have(
    count: int, trained: TrainOutput, training_set: TrainingSet
) -> None:
    evaluation = trained.evaluations["return_risk"]
    card = _card(training_set, replace(evaluation, rows_limited=count, weight_limit=400.0))
    assert ("12 rows count as 400 units at most, because they have far more" in card) == bool(count)
