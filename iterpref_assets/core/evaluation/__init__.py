"""Scores: pass@k, confidence intervals, the benchmarks."""
