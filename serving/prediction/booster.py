"""Load a LightGBM model and predict with it, through LightGBM's C API.

`import lightgbm` imports pandas, scikit-learn and SciPy too, which makes a server start slowly. A
server needs only a few functions of the library underneath (lightgbm.readthedocs.io, "C API").
They give the same bits as `lightgbm.Booster.predict`.
"""

from __future__ import annotations

import ctypes
import sys
import weakref
from functools import cache
from importlib.metadata import files
from typing import Final

import numpy as np

from features.runtime.arrays import FloatArray
from serving.errors import BrokenFileError

_FLOAT64: Final = 1
_ROW_MAJOR: Final = 1
_NORMAL: Final = 0
_RAW_SCORE: Final = 1
_CONTRIBUTIONS: Final = 3
_ALL_ITERATIONS: Final = -1
_PARAMETERS: Final = b"num_threads=1"
"""A row is done before a second thread wakes up, and threads don't survive a fork."""


class LightGBMMissingError(ImportError):
    """Report an installation of LightGBM without its shared library."""

    def __init__(self) -> None:
        super().__init__("The package lightgbm has no lib_lightgbm. Install it from a wheel.")


@cache
def _load_library() -> ctypes.CDLL:
    for path in files("lightgbm") or ():
        if path.stem == "lib_lightgbm" and path.suffix in {".so", ".dylib", ".dll"}:
            library = ctypes.CDLL(str(path.locate()))
            library.LGBM_GetLastError.restype = ctypes.c_char_p
            return library
    raise LightGBMMissingError


def _call(function: str, *arguments: object) -> None:
    if getattr(_load_library(), function)(*arguments) != 0:
        message = _load_library().LGBM_GetLastError().decode(errors="replace")
        raise BrokenFileError("a LightGBM model", message)


class Booster:
    """One LightGBM model, loaded from its text form; threads may share it.

    Broken text can kill the process. Give it only text that `load_bundle` has verified or that
    LightGBM has just written.
    """

    def __init__(self, text: str) -> None:
        """Load text that `lightgbm.Booster.model_to_string()` returned.

        Raises:
            BrokenFileError: LightGBM can't read it.
        """
        self.text = text
        self._handle = ctypes.c_void_p()
        iterations = ctypes.c_int()
        _call(
            "LGBM_BoosterLoadModelFromString",
            ctypes.c_char_p(text.encode()),
            ctypes.byref(iterations),
            ctypes.byref(self._handle),
        )
        weakref.finalize(self, _load_library().LGBM_BoosterFree, self._handle)
        width = ctypes.c_int()
        _call("LGBM_BoosterGetNumFeature", self._handle, ctypes.byref(width))
        self.width = width.value

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Return the names of the training columns, in order."""
        return parse_feature_names(self.text)

    def predict(self, matrix: FloatArray) -> FloatArray:
        """Return one prediction for each row of `matrix`, (rows, width), with null as NaN.

        Raises:
            BrokenFileError: the matrix has another width than the model.
        """
        return self._predict(matrix, _NORMAL)

    def sum_trees(self, matrix: FloatArray) -> FloatArray:
        """Return the sum of the trees for each row, before any objective transforms it.

        Raises:
            BrokenFileError: the matrix has another width than the model.
        """
        return self._predict(matrix, _RAW_SCORE)

    def split_trees(self, matrix: FloatArray) -> FloatArray:
        """Return how much each input moves the sum of the trees, shape (rows, width + 1).

        The last column is the mean of the trees over their training rows, the same for all rows; a
        row adds up to its sum of trees (Lundberg, Erion and Lee 2018, "Consistent individualized
        feature attribution for tree ensembles").

        Raises:
            BrokenFileError: the matrix has another width than the model.
        """
        return self._predict(matrix, _CONTRIBUTIONS, self.width + 1).reshape(-1, self.width + 1)

    def _predict(self, matrix: FloatArray, kind: int, per_row: int = 1) -> FloatArray:
        matrix = np.ascontiguousarray(matrix, dtype=np.float64)
        rows, width = matrix.shape
        if width != self.width:
            raise BrokenFileError("a LightGBM model", f"it takes {self.width} inputs, not {width}")
        predictions = np.empty(rows * per_row, dtype=np.float64)
        length = ctypes.c_int64()
        _call(
            "LGBM_BoosterPredictForMat",
            self._handle,
            matrix.ctypes.data_as(ctypes.c_void_p),
            ctypes.c_int(_FLOAT64),
            ctypes.c_int32(rows),
            ctypes.c_int32(width),
            ctypes.c_int(_ROW_MAJOR),
            ctypes.c_int(kind),
            ctypes.c_int(0),
            ctypes.c_int(_ALL_ITERATIONS),
            ctypes.c_char_p(_PARAMETERS),
            ctypes.byref(length),
            predictions.ctypes.data_as(ctypes.c_void_p),
        )
        return predictions


def parse_feature_names(text: str) -> tuple[str, ...]:
    """Return the column names that a model's text declares; don't load the model."""
    start = text.find("\nfeature_names=")
    line = text[start + 1 :].partition("\n")[0] if start >= 0 else ""
    return tuple(line.partition("=")[2].split())


if sys.byteorder != "little":  # pragma: no cover - the snapshot's vectors are little-endian
    raise LightGBMMissingError
