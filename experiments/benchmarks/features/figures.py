"""What the benchmark measures, as plain values."""

from __future__ import annotations

from dataclasses import dataclass

from experiments.benchmarks.features.growth import MedianRange


@dataclass(frozen=True)
class CatalogueCost:
    """What the full catalogue cost once, in a process of its own.

    `cpu_seconds` are those of all its threads; `peak_gb` is its largest resident memory, all
    libraries included, in 10**9 bytes.
    """

    spine_rows: int
    columns: int
    spine_seconds: float
    base_seconds: float
    derived_seconds: float
    cpu_seconds: float
    peak_gb: float

    @property
    def seconds(self) -> float:
        """Return the time from opened tables to the design matrix in memory."""
        return self.spine_seconds + self.base_seconds + self.derived_seconds


@dataclass(frozen=True)
class ElapsedTime:
    """Wall time, and the time of the processors: the steadier one on a machine that is shared."""

    seconds: float
    cpu_seconds: float


@dataclass(frozen=True)
class WindowCost:
    """What the windowed features of listings cost once: by the interpreter and by hand."""

    interpreter: ElapsedTime
    sql: ElapsedTime

    @property
    def ratio(self) -> float:
        """Return the interpreter's wall time over that of the SQL."""
        return self.interpreter.seconds / self.sql.seconds

    @property
    def cpu_ratio(self) -> float:
        """Return the interpreter's time of the processors over that of the SQL."""
        return self.interpreter.cpu_seconds / self.sql.cpu_seconds


@dataclass(frozen=True, kw_only=True)
class FeatureBenchmarkResult:
    """All runs on one market."""

    order_lines: int
    catalogue: tuple[CatalogueCost, ...]
    windows: tuple[WindowCost, ...]
    compared: tuple[str, ...]
    """Windowed features of listings that both computed, to equal numbers."""
    left_out: tuple[str, ...]
    """Windowed features of listings that nobody wrote by hand."""

    @property
    def seconds(self) -> MedianRange:
        """Return the wall time of the full catalogue."""
        return MedianRange.of([cost.seconds for cost in self.catalogue])

    @property
    def cpu_seconds(self) -> MedianRange:
        """Return the processors' time of the full catalogue."""
        return MedianRange.of([cost.cpu_seconds for cost in self.catalogue])

    @property
    def peak_gb(self) -> float:
        """Return the largest peak memory of the full catalogue."""
        return max(cost.peak_gb for cost in self.catalogue)

    @property
    def ratio(self) -> MedianRange:
        """Return the interpreter's time over that of the SQL, run by run."""
        return MedianRange.of([cost.ratio for cost in self.windows])

    @property
    def cpu_ratio(self) -> MedianRange:
        """Return the same of the time of the processors."""
        return MedianRange.of([cost.cpu_ratio for cost in self.windows])
