"""Make models: from labelled rows to a bundle, and as scikit-learn estimators for any table.

`from training import SellThroughModel` imports an estimator and what it needs; `import training`
alone stays quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from training.estimators.boosted import ReturnRiskModel, SellThroughModel
    from training.estimators.shrinkage import ShrinkageModel

__all__ = ["ReturnRiskModel", "SellThroughModel", "ShrinkageModel"]

_MODULES: Final = {
    "ReturnRiskModel": "training.estimators.boosted",
    "SellThroughModel": "training.estimators.boosted",
    "ShrinkageModel": "training.estimators.shrinkage",
}


def __getattr__(name: str) -> object:
    """Import an estimator when it is first used (PEP 562).

    Raises:
        AttributeError: the package has no such name.
    """
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    """List the estimators too, so that editors complete them."""
    return sorted({*globals(), *__all__})
