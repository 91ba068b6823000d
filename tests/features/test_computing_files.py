"""The fingerprint covers every file whose code decides a feature's value, whoever imports it."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

from features import catalogue
from features.catalogue import CATALOGUE, COMPUTING
from features.declarations import Derived

HERE = Path(catalogue.__file__).parent
WAYS_TO_VALUES = ("materialise.py", "training_rows.py", "imputed_stock.py", "derived.py")
"""Where snapshots and training rows, the stock they may rest on, and the design matrix are made."""
NO_VALUES = {
    "catalogue.py": "the fingerprint holds what it lists",
    "declarations.py": "the fingerprint holds what is declared",
    "families/*.py": "likewise",
    "arrays.py": "it only names types",
    "code_fingerprint.py": "it makes the fingerprint",
    "errors.py": "it only says what is wrong",
    "horizons.py": "whatever keeps values says the horizons beside them",
    "labels.py": "a target is no feature",
    "row_digests.py": "it tells whether rows are the same ones, and the engine hashes them",
    "snapshot.py": "it has a format of its own",
    "targets.py": "a target is no feature",
    "validated_files.py": "it says which files are those of a validation",
    "wording.py": "it only words what is wrong",
}
"""Files that the ways to values import and that decide none, with the reason."""
ENDS = ("validated_files.py",)
"""Those of them whose own imports decide none either."""


def files_of(names: tuple[str, ...]) -> set[Path]:
    return {path for name in names for path in HERE.glob(name)}


def imported_by(path: Path) -> Iterator[Path]:
    """Yield the files of the package that a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            modules = [f"{node.module}", *(f"{node.module}.{one.name}" for one in node.names)]
        elif isinstance(node, ast.Import):
            modules = [one.name for one in node.names]
        else:
            continue
        files = (HERE.parent / f"{module.replace('.', '/')}.py" for module in modules)
        yield from (file for file in files if file.is_relative_to(HERE) and file.is_file())


def reached_from(names: tuple[str, ...]) -> set[Path]:
    """Return files with all that they import, and what that imports, up to `ENDS`."""
    reached: set[Path] = set()
    ahead, ends = files_of(names), files_of(ENDS)
    while ahead:
        reached |= ahead
        ahead = {file for path in ahead - ends for file in imported_by(path)} - reached
    return reached


def test_fingerprint_covers_all_that_the_ways_to_values_import() -> None:
    reached = reached_from(WAYS_TO_VALUES)
    covered = files_of(COMPUTING)
    assert {"spine.py", "level_vectors.py", "interpreter.py"} <= {path.name for path in reached}
    assert reached - covered == files_of(tuple(NO_VALUES)) & reached


@pytest.mark.parametrize("name", [*COMPUTING, *NO_VALUES])
def test_named_file_is_there_and_named_once(name: str) -> None:
    assert (name in COMPUTING) != (name in NO_VALUES)
    assert files_of((name,)) & reached_from(WAYS_TO_VALUES)


@pytest.mark.parametrize("feature", CATALOGUE.derived, ids=lambda one: one.name)
def test_fingerprint_covers_the_function_of_a_derived_feature(feature: Derived) -> None:
    assert Path(inspect.getfile(feature.function)) in files_of(COMPUTING)
