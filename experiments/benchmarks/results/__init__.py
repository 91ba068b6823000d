"""What benchmarks share: figures with their range, times, verdicts and the printed result."""
