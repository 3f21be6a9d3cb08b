"""The benchmarks of `make bench`. Figures are ratios and medians, measured in one run on one machine."""
