import pytest


@pytest.fixture(autouse=True)
def unhurried(monkeypatch):
    """Lets each call read records, and wait for its turn, as long as a busy machine needs."""
    for module in ("dataset_images", "job_images", "index.indexes"):
        monkeypatch.setattr(f"shared.images.{module}.READ_SECONDS", 60.0)
    monkeypatch.setattr("shared.images.index.indexes._WAIT_SECONDS", 60.0)
