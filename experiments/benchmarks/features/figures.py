"""What the benchmark of features measures, as plain values."""

from __future__ import annotations

from dataclasses import dataclass

from experiments.benchmarks.results.figures import ElapsedTime, MedianRange


@dataclass(frozen=True)
class CatalogueCost:
    """The cost of the full catalogue in one run, which has a process of its own.

    `cpu_seconds` count all threads. `peak_gb` is the largest resident memory of the process, all
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
class WindowCost:
    """The cost of the windowed features of listings in one run, both ways."""

    interpreter: ElapsedTime
    sql: ElapsedTime

    @property
    def ratio(self) -> float:
        """Return the interpreter's wall time over that of the SQL."""
        return self.interpreter.seconds / self.sql.seconds

    @property
    def cpu_ratio(self) -> float:
        """Return the interpreter's processor time over that of the SQL."""
        return self.interpreter.cpu_seconds / self.sql.cpu_seconds


@dataclass(frozen=True, kw_only=True)
class FeatureBenchmarkResult:
    """All runs on one market."""

    order_lines: int
    catalogue: tuple[CatalogueCost, ...]
    windows: tuple[WindowCost, ...]
    compared: tuple[str, ...]
    """Windowed features of listings that both ways compute, to equal numbers."""
    left_out: tuple[str, ...]
    """Windowed features of listings without SQL written by hand."""

    @property
    def seconds(self) -> MedianRange:
        """Return the wall time of the full catalogue."""
        return MedianRange.from_values([cost.seconds for cost in self.catalogue])

    @property
    def cpu_seconds(self) -> MedianRange:
        """Return the processor time of the full catalogue."""
        return MedianRange.from_values([cost.cpu_seconds for cost in self.catalogue])

    @property
    def peak_gb(self) -> float:
        """Return the largest peak memory of the full catalogue."""
        return max(cost.peak_gb for cost in self.catalogue)

    @property
    def ratio(self) -> MedianRange:
        """Return the interpreter's wall time over that of the SQL, run by run."""
        return MedianRange.from_values([cost.ratio for cost in self.windows])

    @property
    def cpu_ratio(self) -> MedianRange:
        """Return the interpreter's processor time over that of the SQL, run by run."""
        return MedianRange.from_values([cost.cpu_ratio for cost in self.windows])
