"""Write MODEL_CARD.md: the purpose of a bundle, its data and its quality."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from features.dataset.horizons import Horizons
from features.declarations.targets import Target
from training.data.cold_start_rows import Masked
from training.data.training_input import TrainingRecipe
from training.data.training_set import TrainingSet
from training.evaluation.card_tables import (
    format_cells,
    format_date,
    format_gains,
    format_metrics,
    format_slices,
    format_table,
)
from training.evaluation.evaluate import Evaluation
from training.evaluation.judge import COLD, MODEL, PREDICTORS, UNKNOWN, UNLISTED
from training.metrics.bootstrap import BootstrapInterval
from training.search_space import SEARCH_SPACE

_TITLES: Final[Mapping[Target, str]] = {
    "sell_through": "Sell-through",
    "return_risk": "Return risk",
}
_SHARES: Final[Mapping[Target, str]] = {
    "sell_through": "the share of the units that is ordered within {horizon_days} days "
    "(sell-through)",
    "return_risk": "the share of ordered units that comes back within {return_window_days} days of "
    "delivery (return risk)",
}
"""What is predicted; the lengths of the horizons are filled in."""
_UNLABELLED: Final[Mapping[Target, str]] = {
    "return_risk": "The data have no returns, so the bundle doesn't predict return risk.",
}
"""Sentences about targets that the bundle has no model of."""
_STANDING_LIMITS: Final[Mapping[Target, tuple[str, ...]]] = {
    "sell_through": (),
    "return_risk": (
        "only rows with at least one ordered unit can be learned from.",
        (
            "its intervals depend on the units that the model of sell-through expects. "
            "Sell-through is known before returns are, so that model may have learned from days of "
            "return risk's latest slice."
        ),
    ),
}
BOOSTER_SETTINGS: Final = (
    "boosters",
    "fold_boosters",
    "sharpness",
    "trees",
    "correcting_share",
    "leaves",
    "learning_rate",
    "min_samples_leaf",
    "leaf_ridge",
    "feature_share",
    "bagging_share",
    "bins",
    "random_state",
)
"""Settings that change the boosters. The sections of the targets show those of slices, intervals
and thresholds, the manifest holds the calendar, and the others change no result."""


def model_card(
    training_set: TrainingSet, recipe: TrainingRecipe, evaluations: Mapping[Target, Evaluation]
) -> str:
    """Return the card as Markdown; the same training gives the same text."""
    parts = [
        "# Model card",
        _purpose(recipe.horizons, evaluations),
        "## Data",
        _data(training_set, evaluations),
        "## Settings",
        _settings(recipe),
        *(part for evaluation in evaluations.values() for part in _target_section(evaluation)),
        "## Known limits",
        _limits(evaluations),
    ]
    return "\n\n".join(parts) + "\n"


def _purpose(horizons: Horizons, evaluations: Mapping[Target, Evaluation]) -> str:
    days = horizons.model_dump()
    shares = " and ".join(_SHARES[target].format(**days) for target in evaluations)
    return (
        f"The models predict for a listing, at a price and a number of offered units, {shares}. "
        "They rank candidates for people who decide. They must not be used to judge buyers, "
        "creators or sellers."
    )


def _data(training_set: TrainingSet, evaluations: Mapping[Target, Evaluation]) -> str:
    products, markets = (training_set.keys[key].names for key in ("product_id", "market"))
    lines = [
        (
            f"{_count_rows(training_set, Masked.NOTHING):,} rows of {len(products):,} products in "
            f"{len(markets):,} markets, known up to {format_date(training_set.cut_off_day)}. "
            f"Data set digest: `{training_set.digest}`."
        ),
        (
            "To predict candidates, the models also learned from copies of the first rows of "
            f"{_count_rows(training_set, Masked.LISTING):,} listings, with the features of the "
            "listing masked, and with those of its product masked too. Numbers of rows leave "
            "copies out."
        ),
    ]
    lines += [sentence for target, sentence in _UNLABELLED.items() if target not in evaluations]
    if training_set.imputed:
        lines.append(
            f"**Imputed:** {', '.join(training_set.imputed)}. The source doesn't have these "
            "tables; a rule fills them in. Units offered and sell-through are only as good as that "
            "rule."
        )
    return "\n\n".join(lines)


def _settings(recipe: TrainingRecipe) -> str:
    searched = {parameter.name for parameter in SEARCH_SPACE} if recipe.trials else set()
    origin = (
        f"The tuned ones are the best of {recipe.trials:,} trials on the last origin of the "
        "calibration slice."
        if searched
        else "None of them was tuned."
    )
    rows = [
        (name, str(getattr(recipe.settings, name)), "yes" if name in searched else "no")
        for name in BOOSTER_SETTINGS
    ]
    return (
        f"Settings of the boosters. {origin}\n\n{format_table(('setting', 'value', 'tuned'), rows)}"
    )


def _count_rows(training_set: TrainingSet, masked: Masked) -> int:
    return int((training_set.masked == masked).sum())


def _target_section(evaluation: Evaluation) -> list[str]:
    return [
        f"## {_TITLES[evaluation.target]}",
        format_slices(evaluation),
        _describe_forward_validation(evaluation),
        (
            f"{evaluation.rows_not_final:,} rows have no final outcome yet, because their horizon "
            "isn't over. They were neither learned from nor judged."
        ),
        *([evaluation.describe_limit()] if evaluation.rows_limited else []),
        (
            "The model and the baselines on the latest slice. Intervals should cover "
            f"{evaluation.interval_coverage:.0%}. The Brier score is of a share of at least "
            f"{evaluation.threshold:g}."
        ),
        format_metrics("predictor", {name: evaluation.overall[name] for name in PREDICTORS}),
        (
            "The loss of each baseline minus the loss of the model, with a 95 % interval from "
            "resampled products. The model is better above 0."
        ),
        format_gains(evaluation),
        (
            f'The model by group of the latest slice. "{UNLISTED}" and "{UNKNOWN}" are copies of '
            "first rows whose history is masked, as candidates have none."
        ),
        format_metrics(
            "group", {name: metrics[MODEL] for name, metrics in evaluation.by_group.items()}
        ),
        (
            "The intervals by cell of own evidence and market, beside plain split-conformal "
            "intervals, for the larger cells of the latest slice. The error is the standard error "
            "of the coverage, with listings as clusters."
        ),
        format_cells(evaluation),
    ]


def _describe_forward_validation(evaluation: Evaluation) -> str:
    origins = evaluation.origins
    moments = "one moment" if origins == 1 else f"{origins} moments"
    return (
        f"The model learned from all {evaluation.rows_known:,} rows whose outcome was final before "
        "the latest slice. Its calibration and its intervals come from the slices calibration and "
        f"conformal: at {moments}, models of what was final by then predicted the rows that "
        "followed."
    )


def _limits(evaluations: Mapping[Target, Evaluation]) -> str:
    lines = [
        "- No outcome of a target's latest slice shaped its model, calibration or intervals.",
        (
            "- Successive rows of one listing are similar. Intervals hold for one answer at a "
            "time, not for the best few of many: `serving.scoring.selection` chooses lists."
        ),
    ]
    for target, evaluation in evaluations.items():
        lines += [f"- {_TITLES[target]}: {limit}" for limit in _target_limits(evaluation)]
    return "\n".join(lines)


def _target_limits(evaluation: Evaluation) -> list[str]:
    limits = [*_STANDING_LIMITS[evaluation.target]]
    if evaluation.unseen_season:
        flag = " Answers for such days have the flag `unseen_season`."
        limits.append(
            f"{evaluation.unseen_season:.1%} of the latest decisions look ahead to days of the "
            f"year that training hasn't seen. {_describe_calendar(evaluation)}"
            + (flag if evaluation.target == "sell_through" else "")
        )
    if evaluation.cells_merged:
        limits.append(
            "there are too few cold starts for residuals of their own. Their intervals use the "
            "residuals of all rows, or of listings with a history where those are wider."
        )
    if not {COLD, UNLISTED} & set(evaluation.by_group):
        limits.append(
            "the latest slice has no cold start, so the quality for listings without a history is "
            "unknown."
        )
    limits += [
        f"on the latest slice the model is {_describe_gain(gains['log_loss'])} "
        f"{baseline.replace('_', ' ')}."
        for baseline, gains in evaluation.differences.items()
        if gains["log_loss"].low <= 0
    ]
    return limits


def _describe_calendar(evaluation: Evaluation) -> str:
    """Return what the model expects of days of the year that the data haven't shown."""
    plain, model = evaluation.without_calendar, evaluation.overall[MODEL]
    if plain is None:
        return "Their season is unknown, and adds to the calibration error."
    return (
        "Their demand comes from the calendar in the settings, not from data. The calibration "
        f"error is {model.calibration_error:.4f} with the calendar and "
        f"{plain.calibration_error:.4f} without it. Baselines don't use the calendar."
    )


def _describe_gain(gain: BootstrapInterval) -> str:
    return "clearly worse than" if gain.high < 0 else "not clearly better than"
