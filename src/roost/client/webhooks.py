"""Webhooks that a Roost server sends: are they its own? (https://www.standardwebhooks.com)"""

from collections.abc import Iterable
from typing import Protocol

from roost.client.errors import InvalidSignature, RoostError
from roost.client.events import Event, read_event


class Headers(Protocol):
    """A request's headers, as any framework has them."""

    def items(self) -> Iterable[tuple[str, str]]: ...


def verify_webhook(secret: str, headers: Headers, body: bytes | str) -> Event:
    """The event in a webhook's body. `secret` is the endpoint's, and `body` what came, to the byte.

    Raises InvalidSignature when it was not signed with the secret, or more than five minutes ago; only then BrokenAnswer. An
    event can come more than once: it has the same `id` each time.
    """
    from standardwebhooks import Webhook, WebhookVerificationError

    try:
        webhook = Webhook(secret)
    except Exception as error:
        raise RoostError("the secret must be as the server shows it: base64") from error
    try:
        raw = body.encode() if isinstance(body, str) else body
        webhook.verify(raw, dict(headers.items()), json_parse=False)
    except (WebhookVerificationError, ValueError):  # what is malformed is a ValueError
        raise InvalidSignature("the webhook is not signed with this secret, or too long ago") from None
    return read_event(raw)
