"""How a webhook is signed: as Standard Webhooks, and as the documentation of dialect A has it, over the same body.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime

from roost import __version__

USER_AGENT = f"Roost/{__version__}"


def public_event_id(event_id: str) -> str:
    """As it stands in `webhook-id`, and in the delivery log."""
    return f"evt_{event_id}"


def unsigned_headers(event_id: str, at_us: int) -> dict[str, str]:
    """What a request has besides its signatures; `at_us` is when it leaves."""
    return {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "webhook-id": public_event_id(event_id),
        "webhook-timestamp": str(at_us // 1_000_000),
    }


def signed_headers(event_id: str, at_us: int, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """All of a request's. `secrets` are in base64, the current one first; each signs, and `X-AmCore-Signature` is its alone."""
    from standardwebhooks import Webhook

    seconds, at = at_us // 1_000_000, datetime.fromtimestamp(at_us // 1_000_000, UTC)
    text = body.decode()
    signatures = [Webhook(secret).sign(public_event_id(event_id), at, text) for secret in secrets]
    key = base64.b64decode(secrets[0])
    digest = hmac.new(key, b"%d\n%b" % (seconds, body), "sha256").hexdigest()
    return {
        **unsigned_headers(event_id, at_us),
        "webhook-signature": " ".join(signatures),
        "X-AmCore-Signature": f"t={seconds},v1={digest}",
    }
