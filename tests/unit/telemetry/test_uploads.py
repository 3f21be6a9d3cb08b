"""Uploads are reported with the accepted bytes, their duration, and whether they succeeded."""

import asyncio

import pytest

from shared.errors import Damaged, Unavailable
from shared.telemetry.recording import RecordingTelemetry
from shared.telemetry.uploads import uploading
from tests.unit.manual_clock import ManualClock


def test_an_upload_says_how_much_was_sent_and_how_long_it_took():
    telemetry, clock = RecordingTelemetry(), ManualClock()
    with uploading(telemetry, clock, "a.zip") as upload:
        upload.add(1_500_000)
        clock.advance(3)
        upload.add(500_000)
    [found] = telemetry.named("azure_blob_upload")
    assert found.properties == {"type": "Azure Blob", "target": "a.zip", "success": True}
    assert found.measurements == {"file_size_mb": 2.0, "duration": 3.0}


@pytest.mark.parametrize(
    "error", [Unavailable("x"), Damaged("x"), KeyError("x"), OSError("x"), asyncio.CancelledError()]
)
def test_an_upload_that_fails_for_any_reason_is_none_that_succeeded(error):
    telemetry = RecordingTelemetry()

    def upload_some():
        with uploading(telemetry, ManualClock(), "a.zip") as upload:
            upload.add(1_000_000)
            raise error

    with pytest.raises(type(error)):
        upload_some()
    [found] = telemetry.named("azure_blob_upload")
    assert found.properties["success"] is False
    assert found.properties["error"] == type(error).__name__
    assert found.measurements["file_size_mb"] == 1.0


def test_where_nothing_had_to_be_sent_there_was_no_upload():
    telemetry = RecordingTelemetry()
    with uploading(telemetry, ManualClock(), "a.zip"):
        pass
    assert telemetry.signals == []
