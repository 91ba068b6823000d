"""Leave an estimator as it was when its fit is refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def unchanged_if_refused(estimator: object) -> Iterator[None]:
    """Put all attributes back if the block raises: half of a new fit would read tables wrongly.

    Attributes that are replaced or deleted are put back, whoever does it (scikit-learn's checks
    too); what is changed inside one of them isn't.
    """
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise
