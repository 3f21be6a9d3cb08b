"""Timer triggers. Each test's docstring gives the line of the contract that it proves."""

import itertools
import json
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from azure.core.exceptions import ResourceNotFoundError

from devhost.triggers import timers
from devhost.triggers.ncrontab import parse_schedule
from devhost.triggers.timers import next_run
from tests.devhost.waiting import eventually

EVERY_SECOND = """
    @app.timer_trigger(arg_name="timer", schedule="* * * * * *")
    def tick(timer: func.TimerRequest) -> None:
        note(tick=time.time(), past_due=timer.past_due, status=timer.schedule_status)
"""
YEARLY = """
    @app.timer_trigger(arg_name="timer", schedule="%WHEN%")
    def yearly(timer: func.TimerRequest) -> None:
        note(past_due=timer.past_due, status=timer.schedule_status)
"""
NOWHERE = """
    @app.queue_trigger(arg_name="msg", queue_name="%NOWHERE%", connection="AzureWebJobsStorage")
    def lost(msg: func.QueueMessage) -> None:
        pass
"""
NEW_YEAR = "0 0 0 1 1 *"


def host_id(host):
    return json.loads(host.get("/admin/host/status")[1])["id"]


def status_blob(host, name):
    path = f"timers/{host_id(host)}/Host.Functions.{name}/status"
    return host.blobs().get_blob_client("azure-webjobs-hosts", path)


def written(blob):
    try:
        return json.loads(blob.download_blob().readall())
    except ResourceNotFoundError:
        return None


def test_a_timer_fires_on_its_schedule(app, hosts):
    """T1: a timer fires on its NCRONTAB schedule; input is Schedule, ScheduleStatus and IsPastDue."""
    rows = hosts(app(EVERY_SECOND)).start().seen(3, "tick")
    assert not any(row["past_due"] for row in rows)
    ticks = [row["tick"] for row in rows]
    # Each second has one run. So two runs are close to each other only if the first one was late
    assert all(later - earlier > 0.3 or earlier % 1 > 0.3 for earlier, later in itertools.pairwise(ticks))


async def test_a_timer_sleeps_until_its_time_and_never_wakes_before_it():
    for seconds in (-1.0, 0.0, 0.001, 0.01, 0.1):
        moment = datetime.now(UTC) + timedelta(seconds=seconds)
        await timers._sleep_until(moment)
        assert datetime.now(UTC) >= moment


def test_a_function_whose_setting_is_missing_is_in_error_and_the_others_run(app, hosts):
    """T2: %SETTING% expands; a function with an unresolved one or with no schedule is in error, the host runs on."""
    root = app(YEARLY + EVERY_SECOND + NOWHERE)
    for setting, reason in (
        (None, "'%WHEN%' does not resolve to a value"),
        ("", "The schedule '' has 0 fields; it must have 5 or 6"),
        ("1:2", "The time span is '1:2'; it must have the form hh:mm:ss"),
        ("0 0 0 30 2 *", "The schedule has no occurrence"),
    ):
        host = hosts(root, WHEN=setting).start()
        assert f"yearly: in error: {reason}" in host.banner
        assert "lost: in error: '%NOWHERE%' does not resolve to a value" in host.banner
        assert f"The 'yearly' function is in error: {reason}" in host.log
        host.seen(1, "tick")
        assert host.post_json("/admin/functions/yearly") == 400
        assert "yearly" in host.get("/admin/functions")[1]
        host.stop()
    assert "yearly: timerTrigger" in hosts(root, WHEN=NEW_YEAR).start().banner


def test_the_status_blob_says_when_it_runs_next(app, hosts):
    """T3: the status blob timers/{hostId}/Host.Functions.{name}/status holds Last, Next and LastUpdated."""
    host = hosts(app(YEARLY), WHEN=NEW_YEAR).start()
    blob = status_blob(host, "yearly")
    eventually(lambda: written(blob) is not None)
    status = written(blob)
    assert set(status) == {"Last", "Next", "LastUpdated"}
    following = datetime.fromisoformat(status["Next"]).astimezone()
    assert (following.month, following.day, following.hour) == (1, 1, 0)


def test_what_was_missed_runs_once_at_start(app, hosts):
    """T4: past due at start is one run with IsPastDue."""
    root = app(YEARLY)
    host = hosts(root, WHEN=NEW_YEAR).start()
    blob = status_blob(host, "yearly")
    eventually(lambda: written(blob) is not None)
    host.stop()
    ago = (datetime.now(UTC) - timedelta(days=2)).isoformat()
    blob.upload_blob(json.dumps({"Last": ago, "Next": ago, "LastUpdated": ago}), overwrite=True)
    host = hosts(root, WHEN=NEW_YEAR).start()
    (row,) = host.seen(1, "past_due")
    assert row["past_due"] is True
    assert row["status"]["Next"] == ago
    eventually(lambda: written(blob)["Next"] != ago)
    host.stop()
    again = hosts(root, WHEN=NEW_YEAR).start()
    time.sleep(1)  # what must not happen has no sign to wait for
    assert len(again.rows("past_due")) == 1


def test_a_timer_can_run_at_start(app, hosts):
    """T5: runOnStartup runs it at start, not as past due."""
    code = """
        @app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *", run_on_startup=True)
        def eager(timer: func.TimerRequest) -> None:
            note(past_due=timer.past_due)
    """
    assert hosts(app(code)).start().seen(1, "past_due")[0]["past_due"] is False


def test_a_schedule_below_a_minute_is_not_monitored(app, hosts):
    """T6: useMonitor is on by default, and off for sub-minute schedules and where the function says so."""
    code = (
        EVERY_SECOND
        + """
    @app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *", use_monitor=False)
    def unwatched(timer: func.TimerRequest) -> None:
        pass

    @app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *")
    def watched(timer: func.TimerRequest) -> None:
        pass
    """
    )
    host = hosts(app(code)).start()
    host.seen(2, "tick")
    eventually(lambda: written(status_blob(host, "watched")) is not None)
    assert written(status_blob(host, "tick")) is None
    assert written(status_blob(host, "unwatched")) is None


def test_a_run_longer_than_the_schedule_does_not_overlap_itself(app, hosts):
    """T7: a timer never overlaps itself."""
    code = """
        @app.timer_trigger(arg_name="timer", schedule="* * * * * *")
        async def slow(timer: func.TimerRequest) -> None:
            note(began=time.time())
            await asyncio.sleep(1.5)
            note(ended=time.time())
    """
    host = hosts(app(code)).start()
    ended = [row["ended"] for row in host.seen(2, "ended")]
    began = [row["began"] for row in host.seen(2, "began")]
    assert began[1] >= ended[0]


def test_a_failing_run_does_not_stop_the_schedule(app, hosts):
    """T8: a failing run does not stop the schedule."""
    code = """
        @app.timer_trigger(arg_name="timer", schedule="* * * * * *")
        def failing(timer: func.TimerRequest) -> None:
            note(ran=1)
            raise ValueError("again")
    """
    hosts(app(code)).start().seen(3, "ran")


def test_one_host_at_a_time_has_the_timer(app, hosts):
    """T9: one host has the timer, by a lease on locks/{hostId}/Host.Functions.{name}.Listener; another takes over."""
    root = app(EVERY_SECOND)
    first = hosts(root).start()
    first.seen(1, "tick")
    second = hosts(root).start()
    second.logged("another host has the timer")
    first.seen(3, "tick")
    assert len({row["pid"] for row in first.rows("tick")}) == 1
    first.stop()
    eventually(lambda: len({row["pid"] for row in second.rows("tick")}) == 2)


@pytest.mark.parametrize(
    ("schedule", "after", "expected"),
    [
        ("0 0 9 * * *", "2026-07-01T06:00:00+00:00", "2026-07-01T07:00:00+00:00"),  # 9:00 of Berlin's summer
        ("0 0 9 * * *", "2026-12-01T06:00:00+00:00", "2026-12-01T08:00:00+00:00"),  # and of its winter
        (
            "0 30 2 * * *",
            "2026-03-28T22:00:00+00:00",
            "2026-03-29T01:30:00+00:00",
        ),  # 2:30 does not exist: 3:30
        ("0 30 2 * * *", "2026-10-25T00:29:00+00:00", "2026-10-25T00:30:00+00:00"),  # the first of two
        ("0 */15 * * * *", "2026-10-25T01:10:00+00:00", "2026-10-25T01:15:00+00:00"),  # in the repeated hour
        ("00:10:00", "2026-10-25T00:55:00+00:00", "2026-10-25T01:05:00+00:00"),  # spans know no clock
    ],
)
def test_schedules_are_in_the_time_zone_of_the_setting(schedule, after, expected):
    """T10: schedules are in local time, or in that of WEBSITE_TIME_ZONE, over changes of the clock too."""
    found = next_run(parse_schedule(schedule), datetime.fromisoformat(after), ZoneInfo("Europe/Berlin"))
    assert found == datetime.fromisoformat(expected)


def test_an_unknown_time_zone_is_an_error_at_start(app, hosts):
    """T11: WEBSITE_TIME_ZONE must be known."""
    host = hosts(app(EVERY_SECOND), WEBSITE_TIME_ZONE="Mars/Olympus").start(ready=False)
    assert host.process.wait(20) == 1
    assert "WEBSITE_TIME_ZONE is 'Mars/Olympus', which is not a known time zone" in host.log
