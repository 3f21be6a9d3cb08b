"""The suites. Each measures one subject and returns its tables."""
