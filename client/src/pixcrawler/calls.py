"""Describes each call of the API, for the synchronous and the asynchronous client."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from typing_extensions import Unpack

from pixcrawler.answers import (
    Answer,
    Dataset,
    Health,
    Image,
    Job,
    JobSummary,
    Keys,
    Links,
    NewKey,
    OptOut,
    OptOutDataset,
    Outlook,
    Page,
    Profile,
    Record,
    Report,
    StoredList,
    User,
)
from pixcrawler.errors import BadAnswer, WrongUse
from pixcrawler.filters import ImageFilters, JobFilters, RecordFilters

T = TypeVar("T", bound=Answer)
_API = "/api/v1"
_JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Call(Generic[T]):
    """One call. It is sent again if there is no answer: all calls of the client can be repeated safely.

    `answer` is the model of its body, or None if the body is of no use. `answers_with` are statuses of errors whose
    body is the answer nevertheless. `deletes` says that 404 is a success after an attempt whose answer was lost.
    """

    method: str
    path: str
    answer: type[T] | None
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    answers_with: frozenset[int] = frozenset()
    deletes: bool = False


def _path(*parts: str) -> str:
    for part in parts:
        if not part.strip(".") or not _can_be_sent(part):
            raise WrongUse(f"{part!r} is no id")
    return "/".join((_API, *(quote(part, safe="") for part in parts)))


def _query(values: Mapping[str, object]) -> dict[str, str]:
    query = {name: str(value) for name, value in values.items() if value is not None}
    for name, value in query.items():
        if not _can_be_sent(value):
            raise WrongUse(f"'{name}' is {value!r}, which is no text")
    return query


def _can_be_sent(text: str) -> bool:
    """Whether a text can be encoded. An argument of the shell in another encoding than that of the locale cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _post(
    path: str, answer: type[T], body: Mapping[str, Any] | None = None, key: str | None = None
) -> Call[T]:
    """Returns a call with a JSON body. With a key of "", it gets a new `Idempotency-Key`."""
    headers = dict(_JSON)
    if key is not None:
        if not (key.isascii() and key.isprintable()):
            raise WrongUse(f"the idempotency key is {key!r}; it must be printable ASCII")
        headers["Idempotency-Key"] = key or uuid.uuid4().hex
    return Call("POST", path, answer, body=json.dumps(body or {}).encode(), headers=headers)


def submit(spec: Mapping[str, Any], key: str = "") -> Call[Job]:
    """`POST /jobs`. With the same key, a call that is sent twice makes one job."""
    return _post(_path("jobs"), Job, spec, key)


def validate(spec: Mapping[str, Any]) -> Call[Outlook]:
    """`POST /specs/validate`."""
    return _post(_path("specs", "validate"), Outlook, spec)


def job(job_id: str) -> Call[Job]:
    """`GET /jobs/{id}`."""
    return Call("GET", _path("jobs", job_id), Job)


def cancel(job_id: str) -> Call[Job]:
    """`POST /jobs/{id}/cancel`."""
    return _post(_path("jobs", job_id, "cancel"), Job)


def retry(job_id: str) -> Call[Job]:
    """`POST /jobs/{id}/retry`."""
    return _post(_path("jobs", job_id, "retry"), Job)


def delete_job(job_id: str, *, with_dataset: bool = False) -> Call[Answer]:
    """`DELETE /jobs/{id}`."""
    query = {"dataset": "delete" if with_dataset else "keep"}
    return Call("DELETE", _path("jobs", job_id), None, query, deletes=True)


def jobs(**filters: Unpack[JobFilters]) -> Call[Page[JobSummary]]:
    """`GET /jobs`, the first page."""
    return Call("GET", _path("jobs"), Page[JobSummary], _query({"limit": 100, **filters}))


def records(job_id: str, **filters: Unpack[RecordFilters]) -> Call[Page[Record]]:
    """`GET /jobs/{id}/records`, the first page."""
    return Call("GET", _path("jobs", job_id, "records"), Page[Record], _query({"limit": 100, **filters}))


def datasets() -> Call[Page[Dataset]]:
    """`GET /datasets`, the first page."""
    return Call("GET", _path("datasets"), Page[Dataset], {"limit": "100"})


def dataset(dataset_id: str) -> Call[Dataset]:
    """`GET /datasets/{id}`."""
    return Call("GET", _path("datasets", dataset_id), Dataset)


def links(dataset_id: str) -> Call[Links]:
    """`GET /datasets/{id}/download`."""
    return Call("GET", _path("datasets", dataset_id, "download"), Links)


def rehydrate(dataset_id: str, *, tier: str, priority: str, days: int) -> Call[Dataset]:
    """`POST /datasets/{id}/rehydrate`."""
    body = {"tier": tier, "priority": priority, "days": days}
    return _post(_path("datasets", dataset_id, "rehydrate"), Dataset, body)


def refresh(dataset_id: str, *, check: bool, remove_gone: bool, key: str = "") -> Call[Job]:
    """`POST /datasets/{id}/refresh`. With the same key, a call that is sent twice begins one refresh."""
    body = {"check": check, "remove_gone": remove_gone}
    return _post(_path("datasets", dataset_id, "refresh"), Job, body, key)


def images(dataset_id: str, *, of_job: bool = False, **filters: Unpack[ImageFilters]) -> Call[Page[Image]]:
    """`GET /datasets/{id}/images` or `GET /jobs/{id}/images`, the first page."""
    path = _path("jobs" if of_job else "datasets", dataset_id, "images")
    return Call("GET", path, Page[Image], _query({"limit": 100, **filters}))


def image(dataset_id: str, n: str, *, of_job: bool = False, width: int | None = None) -> Call[Answer]:
    """`GET /datasets/{id}/images/{n}` or `GET /jobs/{id}/images/{n}`, whose answer is the image itself."""
    path = _path("jobs" if of_job else "datasets", dataset_id, "images", n)
    return Call("GET", path, None, _query({"width": width}), headers={"Accept": "image/*"})


def delete_dataset(dataset_id: str) -> Call[Answer]:
    """`DELETE /datasets/{id}`."""
    return Call("DELETE", _path("datasets", dataset_id), None, deletes=True)


def profile() -> Call[Profile]:
    """`GET /users/profile`."""
    return Call("GET", _path("users", "profile"), Profile)


def users() -> Call[Page[User]]:
    """`GET /users`, the first page."""
    return Call("GET", _path("users"), Page[User], {"limit": "100"})


def user(user_id: str) -> Call[User]:
    """`GET /users/{id}`."""
    return Call("GET", _path("users", user_id), User)


def add_user(name: str, tier: str) -> Call[User]:
    """`POST /users`."""
    return _post(_path("users"), User, {"name": name, "tier": tier}, key="")


def change_user(user_id: str, changes: Mapping[str, str]) -> Call[User]:
    """`PATCH /users/{id}`."""
    return Call("PATCH", _path("users", user_id), User, body=json.dumps(changes).encode(), headers=_JSON)


def delete_user(user_id: str, *, with_datasets: bool) -> Call[User]:
    """`DELETE /users/{id}`."""
    return Call("DELETE", _path("users", user_id), User, {"datasets": "delete" if with_datasets else "keep"})


def keys(user_id: str) -> Call[Keys]:
    """`GET /users/{id}/keys`."""
    return Call("GET", _path("users", user_id, "keys"), Keys)


def add_key(user_id: str, name: str, scopes: list[str], expires_at: str | None) -> Call[NewKey]:
    """`POST /users/{id}/keys`."""
    body = {"name": name, "scopes": scopes, **({"expires_at": expires_at} if expires_at else {})}
    return _post(_path("users", user_id, "keys"), NewKey, body, key="")


def revoke_key(user_id: str, key_id: str) -> Call[Answer]:
    """`DELETE /users/{id}/keys/{key_id}`."""
    return Call("DELETE", _path("users", user_id, "keys", key_id), None, deletes=True)


def reports() -> Call[Page[Answer]]:
    """`GET /insights`. It has one page."""
    return Call("GET", _path("insights"), Page[Answer])


def report(name: str, hours: int) -> Call[Report]:
    """`GET /insights/{report}`."""
    return Call("GET", _path("insights", name), Report, {"hours": str(hours)})


def health() -> Call[Health]:
    """`GET /health`, which answers 503 if the app is not healthy."""
    return Call("GET", "/health", Health, answers_with=frozenset({503}))


def lists() -> Call[Page[StoredList]]:
    """`GET /lists`, the first page."""
    return Call("GET", _path("lists"), Page[StoredList], {"limit": "100"})


def stored_list(list_id: str) -> Call[StoredList]:
    """`GET /lists/{id}`."""
    return Call("GET", _path("lists", list_id), StoredList)


def upload_list(data: bytes, *, name: str, ending: str) -> Call[StoredList]:
    """`POST /lists` with the list in the body."""
    headers = {"Content-Type": "application/octet-stream", "Idempotency-Key": uuid.uuid4().hex}
    return Call("POST", _path("lists"), StoredList, {"name": name, "format": ending}, data, headers)


def link_for_list(*, name: str, ending: str) -> Call[StoredList]:
    """`POST /lists` for a link to store the list."""
    query = {"name": name, "format": ending, "upload": "true"}
    return Call("POST", _path("lists"), StoredList, query, headers={"Idempotency-Key": uuid.uuid4().hex})


def delete_list(list_id: str) -> Call[Answer]:
    """`DELETE /lists/{id}`."""
    return Call("DELETE", _path("lists", list_id), None, deletes=True)


def add_optout(body: Mapping[str, Any]) -> Call[OptOut]:
    """`POST /optouts`. The same call again answers the same opt-out."""
    return _post(_path("optouts"), OptOut, body)


def optouts() -> Call[Page[OptOut]]:
    """`GET /optouts`, the first page."""
    return Call("GET", _path("optouts"), Page[OptOut], {"limit": "100"})


def optout_datasets(optout_id: str) -> Call[Page[OptOutDataset]]:
    """`GET /optouts/{id}/datasets`, the first page."""
    return Call("GET", _path("optouts", optout_id, "datasets"), Page[OptOutDataset])


def delete_optout(optout_id: str) -> Call[Answer]:
    """`DELETE /optouts/{id}`."""
    return Call("DELETE", _path("optouts", optout_id), None, deletes=True)


def following(call: Call[T], path: str, *, later: bool = False) -> Call[T]:
    """Returns the call of the following page, whose path a page names. `later` says that it is not made yet.

    Raises:
        BadAnswer: the path is not one of the same list, or is that of the same page, which would never end.
    """
    if path.partition("?")[0] != call.path.partition("?")[0]:
        raise BadAnswer(f"The following page of {call.path} has another path: {path}")
    if path == call.path and not call.query and not later:
        raise BadAnswer(f"The following page of {call.path} is the same page.")
    return Call(call.method, path, call.answer)
