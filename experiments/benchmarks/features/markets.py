"""Markets of a wished number of order lines, kept from one run to the next."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from experiments.simulator.configuration.configuration import Simulation, configure
from experiments.simulator.tables.simulate import simulate
from experiments.simulator.tables.writing import MARK, truth_directory
from features.validation.report import has_report
from features.validation.validate import validate
from training.checkpoints.code_version import ROOT, fingerprint_packages

MAKERS: Final = ("features", "experiments/simulator")
"""Whose code decides what a validated market holds."""
LINES_A_PRODUCT: Final = 100
"""Order lines that a product of the large preset sells in its year, measured: 100.8."""


def configure_market(lines: int) -> Simulation:
    """Return the market of about so many order lines.

    The days are those of the large preset whatever the size: a market grows by getting wider, as
    a seller's does, so that the number of moments and the length of histories don't change.
    """
    return configure("large", products=max(lines // LINES_A_PRODUCT, 1))


def ensure_market(lines: int, work: Path) -> Path:
    """Return the directory of a validated market, made unless an earlier run left it in `work`."""
    return ensure_validated(
        configure_market(lines), work / f"market-{lines}", work / f"validated-{lines}"
    )


def ensure_validated(market: Simulation, raw: Path, valid: Path) -> Path:
    """Return `valid`, where a market is validated, made unless it is there already.

    `raw` holds its tables, and the truth beside. What another program made isn't taken.
    """
    maker, made_by = fingerprint_packages(ROOT, MAKERS), valid.with_name(f"{valid.name}.made-by")
    if not _is_same_market(market, raw) or not made_by.is_file() or made_by.read_text() != maker:
        shutil.rmtree(valid, ignore_errors=True)
        made_by.unlink(missing_ok=True)
        simulate(market, raw)
        made_by.write_text(maker)
    elif has_report(valid):
        return valid
    validate(raw, valid)
    return valid


def _is_same_market(market: Simulation, raw: Path) -> bool:
    mark = truth_directory(raw) / MARK
    if not mark.is_file():
        return False
    return Simulation.model_validate_json(mark.read_text(encoding="utf-8")) == market
