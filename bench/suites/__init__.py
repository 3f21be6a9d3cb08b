"""One file a suite; each prints one table."""
