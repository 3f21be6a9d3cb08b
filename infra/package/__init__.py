"""Builds the zip that a deployment uploads."""
