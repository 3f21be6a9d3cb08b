"""The signatures of webhooks, verified by the library of Standard Webhooks and by the specification's own example."""

from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from shared.jobs.webhooks.signature import signed_headers
from shared.jobs.webhooks.signing_secrets import SigningKeys, SigningSecret
from tests.unit.jobs.webhooks.hooks import ended

# https://github.com/standard-webhooks/standard-webhooks: the example of all of its libraries
EXAMPLE = SigningSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", datetime(2021, 2, 25, tzinfo=UTC))
BODY = b'{"test": 2432232314}'


def test_the_example_of_the_specification_has_its_signature():
    at = datetime.fromtimestamp(1614265330, UTC)
    assert signed_headers(SigningKeys(EXAMPLE), "msg_p5jXN8AQM9LWM0D4loKWxJek", at, BODY) == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


async def test_each_attempt_is_signed_with_its_own_time(flow):
    await ended(flow, 503, 503)
    receiver = Webhook((await flow.secrets.ensure("admin")).current.text)
    for request in flow.web.sent:
        signed_at = datetime.fromtimestamp(int(request.headers["webhook-timestamp"]), UTC)
        expected = receiver.sign(request.headers["webhook-id"], signed_at, request.body.decode())
        assert request.headers["webhook-signature"] == expected
    assert len({request.headers["webhook-timestamp"] for request in flow.web.sent}) == 3
    assert len({request.headers["webhook-id"] for request in flow.web.sent}) == 1


async def test_a_call_is_verified_as_it_came_and_refused_if_a_byte_is_changed(flow):
    flow.clock.moment = datetime.now(UTC) - timedelta(seconds=60)
    await ended(flow)
    [request] = flow.web.sent
    receiver = Webhook((await flow.secrets.ensure("admin")).current.text)
    assert receiver.verify(request.body, dict(request.headers))["type"] == "job.completed"
    for changed in (request.body.replace(b"completed", b"failed"), request.body + b" "):
        with pytest.raises(WebhookVerificationError):
            receiver.verify(changed, dict(request.headers))
    for name in ("webhook-id", "webhook-timestamp"):
        with pytest.raises(WebhookVerificationError):
            receiver.verify(request.body, {**request.headers, name: "1"})
    stranger = Webhook((await flow.secrets.ensure("somebody")).current.text)
    with pytest.raises(WebhookVerificationError):
        stranger.verify(request.body, dict(request.headers))


async def test_while_a_secret_is_rotated_receivers_with_either_secret_verify(flow):
    flow.clock.moment = datetime.now(UTC) - timedelta(seconds=60)
    old = (await flow.secrets.ensure("admin")).current.text
    new = (await flow.secrets.rotate("admin")).current.text
    await ended(flow)
    [request] = flow.web.sent
    assert old != new
    for secret in (old, new):
        Webhook(secret).verify(request.body, dict(request.headers))
    first, second = request.headers["webhook-signature"].split(" ")
    assert first != second
    Webhook(new).verify(request.body, {**request.headers, "webhook-signature": first})
