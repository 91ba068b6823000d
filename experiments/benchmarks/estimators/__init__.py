"""Benchmark of the estimators on many made tables and a few real ones, beside CatBoost."""
