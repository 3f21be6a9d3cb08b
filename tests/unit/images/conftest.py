import pytest


@pytest.fixture(autouse=True)
def unhurried(monkeypatch):
    """Raises the time limits for reading records and for waiting, which a busy machine may exceed."""
    for module in ("dataset_images", "job_images", "index.indexes"):
        monkeypatch.setattr(f"shared.images.{module}.READ_SECONDS", 60.0)
    monkeypatch.setattr("shared.images.index.indexes._WAIT_SECONDS", 60.0)
