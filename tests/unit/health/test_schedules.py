"""Health reports timers that the host cannot start."""

import pytest

from shared.errors import Permanent
from shared.health.schedules import check_schedule, is_schedule
from shared.settings import Settings
from shared.wiring import App
from tests.expect import present


@pytest.mark.parametrize(
    "text",
    [
        "0 0 2 * * *", "0 */10 * * * *", "* * * * * *", "0 2 * * *", "15 10,20 3/6 * * *", "0 0 12 * * 1-5",
        "0 0 0 13 * fri", "0 0 0 1 jan-Mar *", "0 0 0 29 2 *", "01:30:00", "1.00:00:00", "0 0 9-17/2 * * Mon-Fri",
    ],
)  # fmt: skip
def test_what_the_host_reads_as_a_schedule_is_one(text):
    assert is_schedule(text)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "nightly", "* * *", "60 * * * * *", "* * 24 * * *", "* * * 0 * *", "* * * 32 * *", "* * * * 13 *",
        "* * * * * 7", "a * * * * *", "5-1 * * * * *", "*/0 * * * * *", "0 0 2 * * * *", "00:00:00", "%WHEN%", "@daily",
        "1,, * * * * *", "-1 * * * * *", "0 0 2 * * ?", "\u0661 * * * * *",
    ],
)  # fmt: skip
def test_what_the_host_cannot_read_is_no_schedule(text):
    assert not is_schedule(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "LIFECYCLE_SCHEDULE is not set, so the host cannot start the timer lifecycle."),
        (
            "soon",
            "LIFECYCLE_SCHEDULE is 'soon', which is no schedule: the host cannot start the timer lifecycle.",
        ),
    ],
)
def test_a_timer_that_cannot_be_started_is_reported(text, told):
    with pytest.raises(Permanent) as caught:
        check_schedule("LIFECYCLE_SCHEDULE", text, "lifecycle")
    assert caught.value.detail == told


SCHEDULES = {
    "LIFECYCLE_SCHEDULE": "0 0 2 * * *",
    "BUSINESS_METRICS_SCHEDULE": "0 */10 1-4 * * *",
    "WATCHDOG_SCHEDULE": "0 */10 * * * *",
}


@pytest.mark.parametrize(
    ("changes", "status", "told"),
    [
        ({}, "healthy", None),
        *(({name: ""}, "degraded", f"{name} is not set") for name in SCHEDULES),
        *(({name: "often"}, "degraded", f"{name} is 'often'") for name in SCHEDULES),
        ({"LIFECYCLE_SCHEDULE": "often", "WATCHDOG_SCHEDULE": "00:10:00"}, "degraded", "'often'"),
    ],
)
async def test_health_reports_a_function_that_the_host_could_not_start(
    monkeypatch, connection_string, changes, status, told
):
    monkeypatch.setenv("AzureWebJobsStorage", connection_string)
    for name, value in (SCHEDULES | changes).items():
        monkeypatch.setenv(name, value)
    app = App(Settings())
    health = await app.health.check()
    [timers] = [check for check in health.checks if check.name == "timers"]
    assert timers.status == status
    assert (timers.detail is None) if told is None else told in present(timers.detail)
    ready = await app.health.check(needed_only=True)
    assert "timers" not in {check.name for check in ready.checks}
    for store in (app.blobs, app.entities, app.queues):
        await store.close()
