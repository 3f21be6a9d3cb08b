"""Every signal that the app emits: one function each, and the only place that knows their names and fields."""

from dataclasses import asdict, dataclass

from shared.errors import AppError
from shared.telemetry.telemetry import Dependency, Properties, Telemetry

_CLIENT_ERROR = 400


@dataclass(frozen=True, slots=True)
class ProcessFacts:
    """The facts that a process reports at its start and at its end."""

    environment: str
    azure_blob_enabled: bool
    azure_insights_enabled: bool
    running_in_azure: bool


def application_started(telemetry: Telemetry, process: ProcessFacts, *, startup_seconds: float) -> None:
    """The process is ready to serve."""
    telemetry.event("application_started", asdict(process), always=True)
    telemetry.metric("application_startup_time", startup_seconds, {"environment": process.environment})


def application_stopped(telemetry: Telemetry, process: ProcessFacts) -> None:
    """The process ends."""
    telemetry.event("application_stopped", asdict(process), always=True)


def operation_completed(
    telemetry: Telemetry, *, operation: str, correlation_id: str, environment: str
) -> None:
    """A function ran to its end."""
    properties = {"correlation_id": correlation_id, "operation": operation, "environment": environment}
    telemetry.event("operation_completed", properties)


def invocation(
    telemetry: Telemetry,
    *,
    function: str,
    span_id: str,
    duration_seconds: float,
    succeeded: bool,
    host_operation_id: str,
) -> None:
    """The span of a function's run, in the trace of its message. The host reports the run in another trace."""
    properties: Properties = {"host_operation_id": host_operation_id} if host_operation_id else {}
    telemetry.dependency(
        Dependency(
            function, "InProc", "", duration_seconds, succeeded, properties=properties, span_id=span_id
        )
    )


def user_action(telemetry: Telemetry, *, user_id: str, user_tier: str, action: str, environment: str) -> None:
    """A user did something that counts as use of the product."""
    properties = {"user_id": user_id, "user_tier": user_tier, "action": action, "environment": environment}
    telemetry.event("user_action", properties)


def images_processed(telemetry: Telemetry, *, job_id: str, kept: int, found: int) -> None:
    """A chunk was crawled: one metric counts the kept images, and one the rejected candidates."""
    for status, number in (("kept", kept), ("rejected", found - kept)):
        if number:
            telemetry.metric("images_processed", number, {"job_id": job_id, "status": status})


def names_looked_up(telemetry: Telemetry, *, remembered: int, asked: int, failed: int) -> None:
    """A chunk was crawled: metrics count the names of hosts that were remembered, asked for, and not found."""
    for outcome, number in (("remembered", remembered), ("asked", asked), ("failed", failed)):
        if number:
            telemetry.metric("names_looked_up", number, {"outcome": outcome})


def job_completed(telemetry: Telemetry, *, job_id: str, images_count: int, duration_seconds: float) -> None:
    """A job has its dataset."""
    telemetry.event(
        "job_completed",
        {"job_id": job_id, "images_count": images_count, "duration_seconds": duration_seconds},
        {"images_processed": images_count, "duration": duration_seconds},
        always=True,
    )


def job_failed(
    telemetry: Telemetry, *, job_id: str, reason: str, images_count: int, duration_seconds: float
) -> None:
    """A job has ended without a dataset; `reason` is the code that its owner sees."""
    _ended_without_dataset(telemetry, "job_failed", job_id, reason, images_count, duration_seconds)


def job_cancelled(
    telemetry: Telemetry, *, job_id: str, reason: str, images_count: int, duration_seconds: float
) -> None:
    """A job was stopped."""
    _ended_without_dataset(telemetry, "job_cancelled", job_id, reason, images_count, duration_seconds)


def _ended_without_dataset(
    telemetry: Telemetry, name: str, job_id: str, reason: str, images: int, seconds: float
) -> None:
    telemetry.event(
        name,
        {"job_id": job_id, "reason": reason, "images_count": images, "duration_seconds": seconds},
        {"images_processed": images, "duration": seconds},
        always=True,
    )


def dataset_upload_started(telemetry: Telemetry, *, job_id: str, image_count: int, destination: str) -> None:
    """A run begins to write the archive files of a dataset."""
    telemetry.event(
        "dataset_upload_started",
        {"job_id": job_id, "image_count": image_count, "destination": destination},
        always=True,
    )


@dataclass(frozen=True, slots=True)
class UploadedDataset:
    """A dataset whose archive files are complete: the first file, its access tier, and what they contain."""

    destination: str
    tier: str
    size_mb: float
    image_count: int


def dataset_upload_completed(
    telemetry: Telemetry, dataset: UploadedDataset, *, job_id: str, duration_seconds: float
) -> None:
    """The archive files of a dataset are complete. Their size is reported as two metrics, by destination and by job."""
    destination, tier, size_mb = dataset.destination, dataset.tier, dataset.size_mb
    telemetry.event(
        "dataset_upload_completed",
        {"job_id": job_id, "destination": destination, "tier": tier},
        {"duration_seconds": duration_seconds, "file_size_mb": size_mb, "image_count": dataset.image_count},
        always=True,
    )
    telemetry.metric("storage_upload_size_mb", size_mb, {"destination": destination, "tier": tier})
    telemetry.metric("dataset_size_mb", size_mb, {"job_id": job_id, "tier": tier})


def azure_blob_upload(
    telemetry: Telemetry,
    *,
    target: str,
    duration_seconds: float,
    file_size_mb: float,
    error: BaseException | None = None,
) -> None:
    """Blocks were sent to blob storage. The size counts what storage accepted, also if the upload failed."""
    outcome: Properties = {"error": type(error).__name__} if error is not None else {}
    telemetry.dependency(
        Dependency(
            "azure_blob_upload",
            "Azure Blob",
            target,
            duration_seconds,
            error is None,
            properties=outcome,
            measurements={"file_size_mb": file_size_mb},
        )
    )


def web_request(
    telemetry: Telemetry,
    *,
    host: str,
    duration_seconds: float,
    status: int | None = None,
    error: BaseException | None = None,
) -> None:
    """A search service, a website or a webhook was called. The target is its host."""
    outcome: Properties = {"error": type(error).__name__} if error is not None else {}
    succeeded = error is None and status is not None and status < _CLIENT_ERROR
    code = "" if status is None else str(status)
    telemetry.dependency(
        Dependency("web_request", "HTTP", host, duration_seconds, succeeded, code, properties=outcome)
    )


def dataset_archived(telemetry: Telemetry, *, dataset: str, age_days: int, size_mb: float) -> None:
    """A dataset was moved to the Archive tier."""
    telemetry.event(
        "dataset_archived", {"dataset": dataset, "age_days": age_days, "size_mb": size_mb}, always=True
    )


def datasets_archived(telemetry: Telemetry, *, count: int) -> None:
    """The number of datasets that a nightly run moved to the Archive tier."""
    telemetry.metric("datasets_archived", count)


def failure(
    telemetry: Telemetry,
    error: BaseException,
    *,
    operation: str,
    job_id: str | None = None,
    dataset: str | None = None,
    user_id: str | None = None,
) -> None:
    """There was an error that a person should see."""
    known = {"job_id": job_id, "dataset": dataset, "user_id": user_id}
    _failed(telemetry, error, operation, {name: value for name, value in known.items() if value is not None})


def job_failure(
    telemetry: Telemetry, error: BaseException, *, operation: str, job_id: str, reason: str
) -> None:
    """A job has ended without a dataset; `reason` is the code that its owner sees."""
    _failed(telemetry, error, operation, {"job_id": job_id, "reason": reason})


def message_failure(telemetry: Telemetry, error: BaseException, *, operation: str, message_id: str) -> None:
    """A message that names no job could not be handled. The job that it may become is found by the message's id."""
    _failed(telemetry, error, operation, {"message_id": message_id})


def _failed(telemetry: Telemetry, error: BaseException, operation: str, known: Properties) -> None:
    properties = {"operation": operation, "error_type": type(error).__name__, **known}
    if isinstance(error, AppError):
        properties["detail"] = error.detail[:500]
    telemetry.exception(error, properties)


def profile_not_found(telemetry: Telemetry, *, user_id: str, endpoint: str) -> None:
    """A caller who is known has no profile."""
    telemetry.event("profile_not_found", {"user_id": user_id, "endpoint": endpoint})


def rate_limit_exceeded(
    telemetry: Telemetry, *, path: str, method: str, client_ip: str, expires_in_seconds: float
) -> None:
    """A call was refused because its caller made too many. The address is masked unless a setting says otherwise."""
    telemetry.event(
        "rate_limit_exceeded",
        {"path": path, "method": method, "client_ip": client_ip, "expires_in_seconds": expires_in_seconds},
        always=True,
    )


def daily_active_users(telemetry: Telemetry, *, count: int) -> None:
    """The number of users who were active yesterday. The timer `business_metrics` sends it once a day."""
    telemetry.metric("daily_active_users", count)


def revenue_usd(telemetry: Telemetry, *, amount: float) -> None:
    """What the paying users pay for a day. The timer `business_metrics` sends it once a day."""
    telemetry.metric("revenue_usd", amount)


def conversion_rate(telemetry: Telemetry, *, share: float) -> None:
    """The share of yesterday's active users who pay, from 0 to 1. It is sent if there were any active users."""
    telemetry.metric("conversion_rate", share)
