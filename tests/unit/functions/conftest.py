"""An app in memory, which the functions serve."""

import pytest

from functions.http import endpoint
from tests.unit.functions.http.http_calls import Caller, memory_app


@pytest.fixture
def app(monkeypatch):
    made = memory_app()
    monkeypatch.setattr(endpoint, "app", lambda: made)
    return made


@pytest.fixture
def caller(app):
    return Caller(app)
