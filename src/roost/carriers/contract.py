"""What a carrier's file has to offer, and the values it works on."""

from __future__ import annotations

import binascii
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol
from urllib.parse import urlsplit

from roost.core.account import CarrierAccount
from roost.core.message import CarrierEvent, ReceiptEvent

if TYPE_CHECKING:
    from roost.carriers.outside import Outside


class IntakeRequest(NamedTuple):
    """One call of a carrier on our intake. Header names are lower-case."""

    headers: Mapping[str, str]
    body: bytes
    url: str = ""
    """As the carrier called it: ROOST_PUBLIC_URL, then the path and the query as they came; signatures cover it."""
    method: str = "POST"

    @property
    def query(self) -> str:
        """What follows the question mark, as it came."""
        return urlsplit(self.url).query


class Field(NamedTuple):
    """One thing that an account is made of: `roost carrier add` has an option of its name, and `secrets` its value.

    `needed` says what for: without all that receiving needs there is no account, without all that sending needs it only
    receives. Of a credential that `rotates` several values are good at once. One that is `generated` is made where none is
    given, and shown once.
    """

    name: str
    help: str
    needed: Literal["receive", "send", "never"] = "never"
    rotates: bool = False
    generated: bool = False


BASIC = (
    Field("basic_user", "user of the credential that it sends us", "receive", generated=True),
    Field("basic_password", "its password", "receive", rotates=True, generated=True),
)
"""The fields of a carrier that calls with Basic credentials, kept as `secrets["basic"]`: a list of (user, password)."""


class Finding(NamedTuple):
    """One thing that was looked at in an account's set-up, in plain words: what is so, or what is wrong and what to do."""

    good: bool
    text: str


class OutgoingText(NamedTuple):
    """What a carrier is asked to send. `message_id` is ours: the carrier says it back where it can."""

    message_id: str
    from_number: str
    to_number: str
    body: str
    media: tuple[str, ...]
    high_priority: bool


class Accepted(NamedTuple):
    """The carrier took a text. `receipts` are what it could say of it at once."""

    carrier_message_id: str
    receipts: tuple[ReceiptEvent, ...] = ()


class SendFailed(Exception):
    """A text was not accepted; the error carries its decision, and nobody else looks at a carrier's status codes.

    `refused` is final; `not_sent` surely did not go, and may be tried again after `retry_after` seconds; `uncertain`
    was perhaps sent. `opted_out`: the carrier says that the contact told it to stop.
    """

    def __init__(
        self,
        outcome: Literal["refused", "not_sent", "uncertain"],
        code: str,
        description: str,
        *,
        retry_after: float | None = None,
        opted_out: bool = False,
    ) -> None:
        super().__init__(f"{outcome}: {code}")
        self.outcome = outcome
        self.code = code
        self.description = description
        self.retry_after = retry_after
        self.opted_out = opted_out


class Withdrawn(Exception):
    """At the last look a text was not wanted any more, so that nothing of it was written; `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


LastLook = Callable[[], Awaitable[None]]
"""Awaited right before a text leaves; what it raises, such as Withdrawn, keeps the text from leaving and is passed on."""


class Carrier(Protocol):
    """A module in this folder, listed in `registry.py`."""

    @property
    def NAME(self) -> str: ...  # noqa: N802 - a module's constant

    @property
    def FIELDS(self) -> tuple[Field, ...]:  # noqa: N802 - a module's constant
        """What an account is made of."""
        ...

    @property
    def MENU(self) -> str:  # noqa: N802 - a module's constant
        """Where in the carrier's menu our webhook URL is set; empty where it is set nowhere."""
        ...

    @property
    def METHODS(self) -> frozenset[str]:  # noqa: N802 - a module's constant
        """How it calls: POST, and GET where it can be told to."""
        ...

    @property
    def EMPTY_ANSWER(self) -> bool:  # noqa: N802 - a module's constant
        """Whether it wants nothing in the answer to what it delivers (204), because it would read it as instructions."""
        ...

    @property
    def OPTED_OUT_CODES(self) -> frozenset[str]:  # noqa: N802 - a module's constant
        """Error codes of receipts that say that the contact told the carrier to stop."""
        ...

    def verify(self, request: IntakeRequest, account: CarrierAccount, now: int) -> bool:
        """Whether the request carries a credential of this account, not too old at `now` (microseconds since 1970).

        In constant time; whatever the request holds, it does not raise.
        """
        ...

    def parse(self, request: IntakeRequest) -> list[CarrierEvent]:
        """Every event in the request, in order. Never raises: what cannot be understood is an UnknownEvent."""
        ...

    def can_send(self, account: CarrierAccount) -> bool:
        """Whether the account has what sending takes; one without it only receives."""
        ...

    def answers_opt_outs(self, number: str, account: CarrierAccount) -> bool:
        """Whether the carrier itself confirms STOP and START on this number of ours, so that we must not."""
        ...

    def media_auth(self, url: str, account: CarrierAccount) -> tuple[str, str] | None:
        """The Basic credential for a medium of an inbound message, if `url` is on one of the carrier's own hosts; else None."""
        ...

    async def send(
        self, text: OutgoingText, account: CarrierAccount, outside: Outside, last_look: LastLook
    ) -> Accepted:
        """Hand one text over, once, after `last_look`. Raises SendFailed, and what `last_look` raises."""
        ...

    async def look_up(
        self,
        text: OutgoingText,
        sent_at: int,
        account: CarrierAccount,
        outside: Outside,
    ) -> frozenset[str]:
        """The carrier's ids of what may be a text that was perhaps sent, from its own record.

        It was sent at about `sent_at`, microseconds since 1970. Of what may be another text, too, the store knows whose it is.
        Raises SendFailed when the carrier could not be asked.
        """
        ...

    @property
    def backfill(self) -> Backfill | None:
        """Reads what arrived while we were away from the carrier's own record; None where it keeps none with the texts."""
        ...

    async def check(
        self, account: CarrierAccount, numbers: Sequence[str], webhook_url: str, outside: Outside
    ) -> list[Finding]:
        """What the carrier says of the set-up: its credentials, our `numbers`, where it delivers. Changes nothing.

        Raises SendFailed when the carrier could not be asked.
        """
        ...


Backfill = Callable[[CarrierAccount, int, "Outside"], AsyncIterator[list[CarrierEvent]]]
"""(account, since, outside): the inbound messages from `since` (microseconds since 1970) on, in pages, in whatever order.

Each event has the same id as its callback had, so that what was delivered is not stored twice. Raises SendFailed.
"""


def verify_basic(request: IntakeRequest, account: CarrierAccount, now: int = 0) -> bool:
    """The `verify` of a carrier with Basic credentials (RFC 7617): one of the account's (user, password) pairs.

    Every pair is compared, whichever matches, so that the time taken does not tell which one was near.
    """
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    try:
        given = binascii.a2b_base64(encoded.strip(), strict_mode=True) if scheme.lower() == "basic" else b""
    except ValueError:  # binascii.Error is one
        given = b""
    matched = False
    for user, password in account.secrets.get("basic", ()):
        matched |= hmac.compare_digest(given, f"{user}:{password}".encode())
    return matched and bool(given)
