"""Simulated markets for benchmarks, kept from one run to the next."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

import pyarrow as pa

from experiments.simulator.configuration.configuration import Simulation, configure
from experiments.simulator.tables.simulate import simulate
from experiments.simulator.tables.writing import MARK, truth_directory
from features.catalogue.catalogue import CATALOGUE
from features.dataset.dataset import open_dataset
from features.dataset.horizons import Horizons
from features.point_in_time.signal_rows import build_stored_rows
from features.point_in_time.training_rows import build_training_rows
from features.validation.report import has_report
from features.validation.validate import validate
from training.checkpoints.code_version import ROOT, fingerprint_rooms

MAKERS: Final = ("features", "experiments/simulator")
"""Packages whose code decides what a validated market holds."""
LINES_A_PRODUCT: Final = 100
"""Order lines that a product of the large preset sells (docs/decisions/benchmark-markets.md)."""


def configure_market(lines: int) -> Simulation:
    """Return the configuration of a market of about `lines` order lines.

    Markets of all sizes have the days of the large preset and differ in their products: the
    number of moments and the length of histories stay the same.
    """
    return configure("large", products=max(lines // LINES_A_PRODUCT, 1))


def ensure_market(lines: int, work: Path) -> Path:
    """Return the directory of a validated market in `work`, simulated unless an earlier run did."""
    return ensure_valid_market(
        configure_market(lines), work / f"market-{lines}", work / f"validated-{lines}"
    )


def ensure_valid_market(market: Simulation, raw: Path, valid: Path) -> Path:
    """Return `valid`, the validated market; simulate and validate it unless it is there already.

    `raw` receives the tables, with the truth beside it. A market that other code wrote, or of
    another configuration, is replaced.
    """
    code, made_by = fingerprint_rooms(ROOT, MAKERS), valid.with_name(f"{valid.name}.made-by")
    if not _is_same_market(market, raw) or not made_by.is_file() or made_by.read_text() != code:
        shutil.rmtree(valid, ignore_errors=True)
        made_by.unlink(missing_ok=True)
        simulate(market, raw)
        made_by.write_text(code)
    elif has_report(valid):
        return valid
    validate(raw, valid)
    return valid


def market_name(market: Simulation) -> str:
    """Return a name for a market's files: by its products, days and seed."""
    return f"{market.products}-{market.days}-{market.seed}"


def read_training_rows(validated: Path) -> pa.Table:
    """Return the training rows of a validated market, with the standard horizons."""
    dataset = open_dataset(validated)
    rows = build_training_rows(build_stored_rows(dataset, Horizons()), CATALOGUE)
    dataset.connection.disconnect()
    return rows


def _is_same_market(market: Simulation, raw: Path) -> bool:
    mark = truth_directory(raw) / MARK
    if not mark.is_file():
        return False
    return Simulation.model_validate_json(mark.read_text(encoding="utf-8")) == market
