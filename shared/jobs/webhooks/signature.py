"""Signs webhooks after Standard Webhooks (https://www.standardwebhooks.com), with the symmetric scheme `v1`."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

from shared.jobs.webhooks.signing_secrets import SigningKeys


def signed_headers(keys: SigningKeys, webhook_id: str, at: datetime, body: bytes) -> Mapping[str, str]:
    """Returns the headers that identify and sign a call that is made at this time.

    There is a signature for each secret, the one by the current secret first. Receivers accept any of them.
    """
    timestamp = str(int(at.timestamp()))
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    signatures = (_signature(secret.key, signed) for secret in (keys.current, *keys.old))
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(signatures),
    }


def _signature(key: bytes, signed: bytes) -> str:
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
