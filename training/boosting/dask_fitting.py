"""Fit the boosters on a Dask cluster.

Each worker reads its parts of the file of training rows and computes their design matrix. Then
`lightgbm.dask` grows every tree on all workers together, each on the rows that it holds. Boosters
are fitted one after the other: two at a time would wait for each other's workers.

Workers talk to each other over their own ports without encryption: use a trusted network.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from lightgbm import DaskLGBMRegressor

from features.declarations.targets import Target
from features.runtime.arrays import FloatArray
from serving.prediction.init_score import init_score
from training.boosting.dask_cluster import connect, connect_timeout, fit_while_workers_live
from training.boosting.dask_errors import DaskMissingError, RowsUnreachableError
from training.boosting.dask_rows import read_part, split_into_parts
from training.boosting.fit_boosters import refuse_unlearnable_requests
from training.boosting.objectives import DemandObjective, objective_of, target_parameters
from training.data.training_input import BoosterRequest, BoosterTexts, TrainingInput

try:
    import distributed
    from dask import array
    from dask.delayed import delayed
    from distributed import Client, Future
except ImportError as error:
    raise DaskMissingError from error

_ADDRESS_LINES: Final = re.compile(r"^\[(machines|local_listen_port): .*\]\n", re.MULTILINE)
"""Lines of a booster's text with the addresses of the workers."""


@dataclass(frozen=True)
class DaskFitter:
    """Fit boosters on the cluster of a scheduler, or on two worker processes of this machine.

    `rows` is the Parquet file that the training set was read from; all workers must be able to read
    it under this path. The client still holds the training set, which the other steps of a training
    read (docs/decisions/memory-of-a-dask-client.md). The cluster saves the client the design
    matrices that boosters are fitted on, and time.
    """

    rows: Path
    scheduler: str | None = None
    timeout_seconds: float = field(default_factory=connect_timeout)
    """Seconds to wait for the scheduler, and then for its first worker."""

    def __call__(
        self, training_input: TrainingInput, requests: Mapping[str, BoosterRequest]
    ) -> BoosterTexts:
        """Return the boosters of each request as text, as `fit_boosters` does.

        Two runs give different trees of nearly the same quality: LightGBM finds the bins of an
        input on the rows of one worker, which is chosen at random.

        Raises:
            TrainingError: a sample can't be learned from, as in `fit_boosters`.
            ClusterError: the cluster failed; the subclass in training/boosting/dask_errors.py says
                how.
        """
        refuse_unlearnable_requests(requests, training_input.recipe.settings)
        with connect(self.scheduler, seconds=self.timeout_seconds) as client:
            rows = self.rows.absolute()  # workers have other working directories
            return fit_while_workers_live(
                client, lambda: _fit(rows, client, training_input, requests)
            )


def _fit(
    path: Path,
    client: Client,
    training_input: TrainingInput,
    requests: Mapping[str, BoosterRequest],
) -> BoosterTexts:
    catalogue, settings = training_input.recipe.catalogue, training_input.recipe.settings
    data = _read_parts(path, client, training_input, requests)
    names, texts = list(catalogue.model_inputs), BoosterTexts()
    for name, request in requests.items():
        rows = data.arrays(name)
        init_scores = _init_scores(request, rows[0], names)
        texts[name] = tuple(
            _fit_booster(
                _build_regressor(client, request.target, seed, training_input),
                rows,
                init_scores,
                names,
            )
            for seed in range(settings.random_state, settings.random_state + request.boosters)
        )
    return texts


def _build_regressor(
    client: Client, target: Target, seed: int, training_input: TrainingInput
) -> DaskLGBMRegressor:
    settings = training_input.recipe.settings
    seeds = {"bagging_seed": seed, "feature_fraction_seed": seed}
    parameters = {
        **target_parameters(target, training_input.recipe.catalogue, settings),
        **seeds,
    }
    del parameters["num_threads"]  # each worker uses all of its threads
    objective = objective_of(target, settings)
    if objective is not None:
        parameters |= {"objective": _RegressorObjective(objective), "metric": "custom"}
    return DaskLGBMRegressor(client=client, n_estimators=settings.tree_count(target), **parameters)


@dataclass(frozen=True)
class _RegressorObjective:
    """A custom objective as LightGBM's regressors call it."""

    objective: DemandObjective

    def __call__(
        self, label: FloatArray, margin: FloatArray, weight: FloatArray | None
    ) -> tuple[FloatArray, FloatArray]:
        return self.objective.weighted(margin, label, weight)


@dataclass(frozen=True)
class _WorkerParts:
    """Parts that workers hold, as futures with the number of rows of each target."""

    parts: Sequence[tuple[Future[Any], Mapping[str, int]]]
    width: int

    def arrays(self, name: str) -> tuple[array.Array, array.Array, array.Array]:
        """Return a request's inputs, labels and weights; each part stays on its worker."""
        parts = [(delayed(part), rows[name]) for part, rows in self.parts if rows[name]]
        inputs, labels, weights = (
            array.concatenate(
                [
                    array.from_delayed(getattr(part[name], kind), (rows, *shape), np.float64)
                    for part, rows in parts
                ]
            )
            for kind, shape in (("inputs", (self.width,)), ("label", ()), ("weight", ()))
        )
        return inputs, labels, weights


def _read_parts(
    path: Path,
    client: Client,
    training_input: TrainingInput,
    requests: Mapping[str, BoosterRequest],
) -> _WorkerParts:
    """Let the workers read the file; each part stays on the worker that read it."""
    workers = sorted(client.ncores())
    samples = {name: request.sample for name, request in requests.items()}
    parts = split_into_parts(path, training_input, samples, min_parts=len(workers))
    catalogue = training_input.recipe.catalogue
    parameters = {
        name: training_input.at(request.origin).parameters for name, request in requests.items()
    }
    reading = [
        client.submit(
            read_part,
            part,
            catalogue,
            parameters,
            workers=[workers[number % len(workers)]],
            allow_other_workers=False,
            pure=False,
        )
        for number, part in enumerate(parts)
    ]
    distributed.wait(reading)
    for future in reading:
        error = future.exception() if future.status == "error" else None
        if isinstance(error, OSError):
            raise RowsUnreachableError(str(path), str(error)) from error
    rows = [
        {name: wanted.label.size for name, wanted in part.rows_by_name.items()} for part in parts
    ]
    return _WorkerParts(list(zip(reading, rows, strict=True)), len(catalogue.model_inputs))


def _init_scores(request: BoosterRequest, inputs: array.Array, names: list[str]) -> array.Array:
    """Return the margin that each row starts from; each part stays on the worker of its rows."""
    start, target = request.start, request.target  # workers need nothing else of the request

    def part_init_scores(part: FloatArray) -> FloatArray:
        return np.asarray(start + init_score(target, part, names))

    empty = np.empty(0)
    scores: array.Array = array.map_blocks(
        part_init_scores, inputs, drop_axis=1, dtype=np.float64, meta=empty
    )
    return scores


def _fit_booster(
    regressor: Any,  # noqa: ANN401 - untyped
    rows: tuple[array.Array, ...],
    init_scores: array.Array,
    names: list[str],
) -> str:
    inputs, label, weight = rows
    fitted = regressor.fit(
        inputs, label, sample_weight=weight, init_score=init_scores, feature_name=names
    )
    text: str = fitted.booster_.model_to_string()
    return _ADDRESS_LINES.sub("", text)
