"""What the declared features say of a rate at a moment: read through the interpreter."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import pandas as pd
import pyarrow as pa

from features.catalogue.catalogue import CATALOGUE
from features.declarations.functions import ratio
from features.declarations.levels import LEVEL_KEYS, Level
from features.declarations.shrinkage import Rate
from features.point_in_time.interpreter import level_values
from features.point_in_time.signal_rows import SignalRows
from features.point_in_time.visibility import AS_OF


def read_rates(
    rows: SignalRows, moments: pd.DataFrame, *, rate: Rate, level: Level
) -> pd.DataFrame:
    """Return keys and `as_of_day` of `moments`, each once, with `ours` and the trials it rests on.

    `ours` is null where the features have counted no trial by then.
    """
    keys = [*LEVEL_KEYS[level], AS_OF]
    names = [rate.column(measure, level) for measure in (rate.successes, rate.trials)]
    features = tuple(feature for feature in CATALOGUE.at_level(level) if feature.name in names)
    asked = _as_table(moments[keys].drop_duplicates(), keys)
    values = level_values(rows, features, rows.store(asked))
    read = rows.dataset.connection.to_pyarrow(values).to_pandas()
    successes, trials = (read[name].to_numpy() for name in names)
    result: pd.DataFrame = read[keys].assign(ours=ratio(successes, trials), rests_on=trials)
    return result


def _as_table(moments: pd.DataFrame, keys: Sequence[str]) -> ibis.Table:
    columns = {key: pa.array(moments[key].to_numpy()) for key in keys}
    return ibis.memtable(pa.table(columns))
