"""Checks the health of the app's parts, and derives the health of the app from it."""
