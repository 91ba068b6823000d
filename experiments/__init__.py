"""Why we believe it: data sets, the main job, comparisons and benchmarks."""
