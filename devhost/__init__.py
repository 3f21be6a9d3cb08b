"""Runs function apps locally, as `func start` does: the host of Azure Functions around Microsoft's worker library."""
