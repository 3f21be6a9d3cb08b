"""Benchmarks: what `make bench` measures. Figures are ratios and medians of one run on one machine."""
