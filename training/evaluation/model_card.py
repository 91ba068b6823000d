"""MODEL_CARD.md: what a bundle is for, what it rests on and how good it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from features.dataset.days import to_datetime
from features.dataset.horizons import Horizons
from features.declarations.targets import Target
from training.data.cold_start_rows import Masked
from training.data.training_input import TrainingRecipe
from training.data.training_set import TrainingSet
from training.evaluation.evaluate import Evaluation
from training.evaluation.judge import COLD, MODEL, PREDICTORS, UNKNOWN, UNLISTED
from training.metrics.bootstrap import BootstrapInterval
from training.metrics.metrics import Metrics
from training.search_space import SEARCH_SPACE

_TITLES: Final[Mapping[Target, str]] = {
    "sell_through": "Sell-through",
    "return_risk": "Return risk",
}
_SHARES: Final[Mapping[Target, str]] = {
    "sell_through": "the share of the units that is ordered within {horizon_days} days "
    "(sell-through)",
    "return_risk": "the share of those that comes back within {return_window_days} days of "
    "delivery (return risk)",
}
"""What is predicted, with the lengths of the horizons to be filled in."""
_UNLABELLED: Final[Mapping[Target, str]] = {
    "return_risk": "The data have no returns, so nothing is said about return risk.",
}
"""Said of a target that the bundle has no model of."""
_STANDING_LIMITS: Final[Mapping[Target, tuple[str, ...]]] = {
    "sell_through": (),
    "return_risk": ("only rows with at least one unit ordered have one to learn from.",),
}
_COLUMNS: Final = (
    ("log loss", "log_loss"),
    ("deviance", "deviance"),
    ("mean absolute error", "mean_absolute_error"),
    ("calibration error", "calibration_error"),
    ("Brier", "brier"),
    ("coverage", "coverage"),
    ("width", "width"),
)
"""Headings and the fields of `Metrics` beneath them."""
BOOSTER_SETTINGS: Final = (
    "boosters",
    "tweedie_share",
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
"""Settings that make the boosters what they are. Those of slices, intervals and thresholds show
in the sections of the targets; the calendar is in the manifest; the rest leaves no trace."""


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
        f"Predicts for a listing, at a price and with a number of units offered, {shares}. It "
        "ranks candidates for people who decide; it isn't made to judge buyers, creators or "
        "sellers."
    )


def _data(training_set: TrainingSet, evaluations: Mapping[Target, Evaluation]) -> str:
    products, markets = (training_set.keys[key].names for key in ("product_id", "market"))
    lines = [
        (
            f"{_count_rows(training_set, Masked.NOTHING):,} rows of {len(products):,} products in "
            f"{len(markets):,} markets, known up to {_format_date(training_set.cut_off_day)}. "
            f"Data set digest: `{training_set.digest}`."
        ),
        (
            f"The first rows of {_count_rows(training_set, Masked.LISTING):,} listings were also "
            "learned from with the listing's own features hidden, and with those of its product: "
            "that is what is known of a candidate. The counts of rows leave them out."
        ),
    ]
    lines += [said for target, said in _UNLABELLED.items() if target not in evaluations]
    if training_set.imputed:
        lines.append(
            f"**Imputed:** {', '.join(training_set.imputed)}. The source doesn't have it; a rule "
            "made it, and whatever rests on it (units offered and sell-through on stock) is only "
            "as good as that rule."
        )
    return "\n\n".join(lines)


def _settings(recipe: TrainingRecipe) -> str:
    searched = {one.name for one in SEARCH_SPACE} if recipe.trials else set()
    how = (
        f"Those tuned are the best of {recipe.trials:,} trials on the training slice; the others "
        "are as given."
        if searched
        else "All of them are as given: no search tuned them."
    )
    rows = [
        (name, str(getattr(recipe.settings, name)), "yes" if name in searched else "no")
        for name in BOOSTER_SETTINGS
    ]
    return f"How the boosters were made. {how}\n\n{_table(('setting', 'value', 'tuned'), rows)}"


def _count_rows(training_set: TrainingSet, masked: Masked) -> int:
    return int((training_set.masked == masked).sum())


def _target_section(evaluation: Evaluation) -> list[str]:
    return [
        f"## {_TITLES[evaluation.target]}",
        _table(
            ("slice", "rows", "first moment", "last moment"),
            [
                (
                    name,
                    f"{facts.rows:,}",
                    _format_date(facts.first_day),
                    _format_date(facts.last_day),
                )
                for name, facts in evaluation.slices.items()
            ],
        ),
        (
            f"{evaluation.rows_not_final:,} rows are not final yet: their horizon isn't over, and "
            "they are neither learned from nor judged."
        ),
        (
            "On the latest slice, beside the baselines. Intervals are meant to cover "
            f"{evaluation.interval_coverage:.0%}; the Brier score is of a share of at least "
            f"{evaluation.threshold:g}."
        ),
        _metrics_table("predictor", {name: evaluation.overall[name] for name in PREDICTORS}),
        (
            "How much less the model loses than each baseline (95 % interval, products "
            "resampled; above 0 the model is better):"
        ),
        _table(
            ("baseline", "loss", "gain", "from", "to"),
            [
                (
                    baseline,
                    loss.replace("_", " "),
                    *map(_format_signed, (one.mean, one.low, one.high)),
                )
                for baseline, spreads in evaluation.differences.items()
                for loss, one in spreads.items()
            ],
        ),
        (
            f'The model by part of the latest slice; "{UNLISTED}" and "{UNKNOWN}" are first rows '
            "with their history hidden, as that of candidates is:"
        ),
        _metrics_table(
            "part", {name: metrics[MODEL] for name, metrics in evaluation.by_group.items()}
        ),
        (
            "Its intervals by cell of own evidence and market, beside plain split-conformal ones; "
            "the larger cells of the latest slice, with the standard error of a coverage as "
            "listings come by chance:"
        ),
        _table(
            (
                *("cell", "rows", "listings", "coverage", "error", "width"),
                *("plain coverage", "plain width", "merged"),
            ),
            [
                (
                    name,
                    f"{one.rows:,}",
                    f"{one.listings:,}",
                    f"{one.coverage:.4f}",
                    f"{one.error:.4f}",
                    f"{one.width:.4f}",
                    f"{one.plain_coverage:.4f}",
                    f"{one.plain_width:.4f}",
                    "yes" if one.is_merged else "no",
                )
                for name, one in evaluation.by_cell.items()
            ],
        ),
    ]


def _limits(evaluations: Mapping[Target, Evaluation]) -> str:
    formula = " and the numbers of the expected return rate" if "return_risk" in evaluations else ""
    lines = [
        (
            "- The models' trees end at their training slice: what happened later shaped only "
            f"calibration, intervals{formula}, or nothing."
        ),
        (
            "- Rows of one listing at successive moments resemble each other; intervals are for "
            "one answer at a time, not for the best few of many: "
            "`serving.scoring.selection` chooses lists."
        ),
    ]
    for target, evaluation in evaluations.items():
        lines += [f"- {_TITLES[target]}: {limit}" for limit in _target_limits(evaluation)]
    return "\n".join(lines)


def _target_limits(evaluation: Evaluation) -> list[str]:
    limits = [*_STANDING_LIMITS[evaluation.target]]
    if evaluation.unseen_season:
        flagged = " Answers for such days are flagged `unseen_season`."
        limits.append(
            f"{evaluation.unseen_season:.1%} of the latest slice's decisions look ahead to days of "
            f"the year from which nothing was learned yet: {_describe_calendar(evaluation)}"
            + (flagged if evaluation.target == "sell_through" else "")
        )
    if evaluation.cells_merged:
        limits.append(
            "too few cold starts to calibrate their intervals apart: those rest on the residuals "
            "of all rows, or of listings with a history where these are wider."
        )
    if not {COLD, UNLISTED} & set(evaluation.by_group):
        limits.append(
            "the latest slice holds no cold start: how good it is for listings without a history "
            "hasn't been seen."
        )
    limits += [
        f"on the latest slice the model is {_describe_gain(spreads['log_loss'])} "
        f"{baseline.replace('_', ' ')}."
        for baseline, spreads in evaluation.differences.items()
        if spreads["log_loss"].low <= 0
    ]
    return limits


def _describe_calendar(evaluation: Evaluation) -> str:
    """Say what stands in for days of the year that the data haven't shown."""
    plain, said = evaluation.without_calendar, evaluation.overall[MODEL]
    if plain is None:
        return "what their season does isn't known, and shows as error of calibration."
    return (
        "what they bring is what the calendar in the settings says, not what data say. With it the "
        f"error of calibration is {said.calibration_error:.4f}, without it "
        f"{plain.calibration_error:.4f}. Baselines don't know the calendar."
    )


def _describe_gain(gain: BootstrapInterval) -> str:
    return "clearly worse than" if gain.high < 0 else "not clearly better than"


def _metrics_table(heading: str, measured: Mapping[str, Metrics]) -> str:
    return _table(
        (heading, "rows", *(title for title, _ in _COLUMNS)),
        [
            (
                name.replace("_", " "),
                f"{metrics.rows:,}",
                *(f"{getattr(metrics, field):.4f}" for _, field in _COLUMNS),
            )
            for name, metrics in measured.items()
        ],
    )


def _table(headings: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [headings, tuple("---" for _ in headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _format_signed(value: float) -> str:
    return f"{value:+.5f}"


def _format_date(day: int) -> str:
    return to_datetime(day).date().isoformat()
