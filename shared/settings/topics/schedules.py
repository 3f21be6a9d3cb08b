from pydantic import Field

from shared.settings.topics.topic import REQUIRED, Topic


class ScheduleSettings(Topic):
    """Schedules.

    The host reads them. Without its schedule, a timer is not started; the app runs, and its [health](health.md) is
    `degraded`.
    """

    lifecycle_schedule: str | None = Field(None, examples=["0 0 2 * * *"], json_schema_extra=REQUIRED)
    """When the nightly run begins, as NCRONTAB; `0 0 2 * * *` is at two every night."""
    business_metrics_schedule: str | None = Field(
        None, examples=["0 */10 1-4 * * *"], json_schema_extra=REQUIRED
    )
    """When the [business metrics](users.md#business-metrics) of the day before are computed, as NCRONTAB;
    `0 */10 1-4 * * *` is every ten minutes from one to five at night. The first run does the work, and the others
    continue it if it stopped."""
    watchdog_schedule: str | None = Field(None, examples=["0 */10 * * * *"], json_schema_extra=REQUIRED)
    """When the watchdog looks for stalled jobs, as NCRONTAB; `0 */10 * * * *` is every ten minutes."""
