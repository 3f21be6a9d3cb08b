"""Stores the files of datasets: in parallel ranges, resumed after a break, and checked."""
