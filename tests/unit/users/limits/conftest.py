import pytest


@pytest.fixture(autouse=True)
def unhurried(monkeypatch):
    """Lets storage answer as late as it likes: a busy machine may take a second for thousands of calls at once."""
    monkeypatch.setattr("shared.users.limits.rate_limits._ANSWER_WITHIN_SECONDS", 60.0)
