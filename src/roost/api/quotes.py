"""Quotes of dialect B's paid tools, at price zero: asked for with 402, executed with `x-quote-id`.

A quote is not stored: its id says until when it is good, and is signed over that, the agent and the request.
"""

import base64
import hashlib
import hmac
from typing import Literal

import msgspec

from roost.api.oneshot_sms import Asked, invalid_request
from roost.core.times import rfc3339
from roost.errors import Refusal
from roost.store.base import Store

QUOTE_US = 15 * 60 * 1_000_000

_PREFIX = "quote_sms_"
_EXPIRY_BYTES, _RANDOM_BYTES, _SIGNATURE_BYTES = 7, 8, 18  # 33 in all, which base64 writes without padding
_encode = msgspec.json.Encoder().encode

# The network and the scheme are those that clients know (x402 on Base); nothing is ever paid, and nobody is paid.
_CHAIN_ID = 8453
_NOBODY = "0x" + "00" * 20
_ACCEPTS = {
    "scheme": "exact",
    "network": f"eip155:{_CHAIN_ID}",
    "amount": "0",
    "asset": _NOBODY,
    "payTo": _NOBODY,
    "maxTimeoutSeconds": 300,
    "extra": {"name": "USD Coin", "version": "2"},
}
#: The header that x402 reads the price from (https://github.com/coinbase/x402, version 2).
PAYMENT_REQUIRED = base64.b64encode(_encode({"x402Version": 2, "accepts": [_ACCEPTS]})).decode()


class PaymentRequest(msgspec.Struct):
    chain_id: int = _CHAIN_ID
    token_address: str = _NOBODY
    amount: str = "0.00"
    recipient: str = _NOBODY


class QuoteContext(msgspec.Struct):
    """What it would cost, which is nothing. `message_length` is in characters."""

    tool: Literal["sms"]
    quote_id: str
    recipient_count: int
    message_length: int
    segment_count: int
    expires_at: str
    per_message_rate: str = "0.0000"
    messaging_fee: str = "0.00"
    phone_registration_fee: str = "0.00"
    total: str = "0.00"
    needs_phone_registration: bool = False


class Quote(msgspec.Struct):
    """Send the same request again with `x-quote-id: <context.quote_id>`."""

    error: Literal["payment_required"]
    payment_request: PaymentRequest
    context: QuoteContext


class QuoteExpired(Exception):
    """A quote of ours for this very request that is no longer good."""


class Quotes:
    """Makes quotes and knows its own again, in every process that has the installation's key."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._key = store.vault.derive("quotes")

    def quote(self, agent_id: str, asked: Asked) -> Quote:
        """A new one, good for `QUOTE_US`."""
        expires_at = self._store.clock() + QUOTE_US
        salt = self._store.random_bits(8 * _RANDOM_BYTES).to_bytes(_RANDOM_BYTES)
        quote_id = self._signed(expires_at.to_bytes(_EXPIRY_BYTES) + salt, agent_id, asked)
        context = QuoteContext(
            "sms", quote_id, len(asked.to_numbers), len(asked.message), asked.segment_count, rfc3339(expires_at)
        )
        return Quote("payment_required", PaymentRequest(), context)

    def verify(self, quote_id: str, agent_id: str, asked: Asked) -> None:
        """Refuses with 400 what is no quote of ours for this agent and this very request. Raises QuoteExpired."""
        try:
            terms = base64.urlsafe_b64decode(quote_id.removeprefix(_PREFIX))[:-_SIGNATURE_BYTES]
        except ValueError:
            terms = b""
        # Compared whole, as text: base64 has several spellings of the same bytes, and one quote is one id.
        if not hmac.compare_digest(self._signed(terms, agent_id, asked).encode(), quote_id.encode()):
            raise invalid_request(
                "x-quote-id is no quote for this request; ask for one with the same body and without x-quote-id."
            )
        if self._store.clock() >= int.from_bytes(terms[:_EXPIRY_BYTES]):
            raise QuoteExpired

    def _signed(self, terms: bytes, agent_id: str, asked: Asked) -> str:
        signed = b"\0".join((agent_id.encode(), asked.digest(), terms))
        signature = hmac.digest(self._key, signed, hashlib.sha256)[:_SIGNATURE_BYTES]
        return _PREFIX + base64.urlsafe_b64encode(terms + signature).decode()


def expired() -> Refusal:
    """What a quote that is no longer good is answered with."""
    return Refusal(400, "quote_expired", "The quote has expired; ask for another one with the same body.")
