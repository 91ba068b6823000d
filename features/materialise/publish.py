"""Making a snapshot out of validated data, in whole or from an earlier one, and publishing it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from features.catalogue.catalogue import CATALOGUE
from features.dataset.as_of import moment_of
from features.dataset.dataset import open_dataset
from features.dataset.horizons import Horizons
from features.materialise.refresh import Refreshed, refresh
from features.online.files import verify_snapshot
from features.online.snapshot import OnlineSnapshot
from features.online.store import snapshot_directory, store_snapshot
from features.point_in_time.imputed_stock import with_stock
from features.point_in_time.signal_rows import stored_rows
from features.point_in_time.snapshot_values import Watch, materialise
from features.runtime.pointer import publish


@dataclass(frozen=True, kw_only=True)
class Order:
    """What to make a snapshot of, for which day, from which earlier one, and where to put it."""

    data: Path
    out: Path
    horizons: Horizons
    as_of: str | None = None
    since: Path | None = None


def make(order: Order, watch: Watch) -> tuple[Refreshed, Path]:
    """Make a snapshot and put it into use; return what it holds and where it lies.

    Raises:
        XuanpinError: the data, the day or the earlier snapshot can't be used, or the disk refuses;
            what was in use stays.
    """
    dataset = open_dataset(order.data)
    as_of = moment_of(dataset, order.as_of)
    watch("signals", 0)
    signals = stored_rows(with_stock(dataset, order.horizons), order.horizons)
    if order.since is None:
        contents = materialise(signals, CATALOGUE, as_of, watch)
        made = Refreshed(contents, {level: len(v.keys) for level, v in contents.levels.items()})
    else:
        earlier = _trusted(snapshot_directory(order.since))
        made = refresh(signals, CATALOGUE, as_of, earlier, watch=watch)
        earlier.close()
    watch("writing", 0)
    snapshot_id = store_snapshot(made.contents, order.out)
    publish(order.out, snapshot_id)
    return made, order.out / snapshot_id


def _trusted(directory: Path) -> OnlineSnapshot:
    """Open a snapshot whose vectors are to be copied: its bytes must be the ones written."""
    verify_snapshot(directory)
    return OnlineSnapshot.open(directory)
