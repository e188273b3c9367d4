"""What each tool is asked. The names are those of the API, so that what it says of a field is said of the argument."""

from typing import Annotated

import msgspec
from msgspec import Meta

#: Clients give a call up after 60 seconds unless they are told otherwise.
MAX_SECONDS = 50
Seconds = Annotated[int, Meta(ge=0, le=MAX_SECONDS)]
Limit = Annotated[int, Meta(ge=1, le=50)]
Key = Annotated[str, Meta(description="Same key, same call: sent once.", max_length=255)]
_FROM = {"from_number": "from"}


class Question(msgspec.Struct, forbid_unknown_fields=True, rename=_FROM):
    """The arguments of one call."""


class ListInbound(Question):
    from_number: Annotated[str, Meta(description="Sender.")] | None = None
    to: Annotated[str, Meta(description="Our number.")] | None = None
    after: Annotated[str, Meta(description="Message id: what came after it, oldest first.")] | None = None
    cursor: Annotated[str, Meta(description="Of the page before.")] | None = None
    limit: Limit = 10


class GetInbound(Question):
    id: str


class WaitForText(Question):
    reply_to: Annotated[str, Meta(description="Id of a text we sent: wait for its answer.")] | None = None
    from_number: str | None = None
    to: str | None = None
    after: Annotated[str, Meta(description="Only after this message id; else from now on.")] | None = None
    seconds: Seconds = 30


class SendText(Question):
    from_number: Annotated[str, Meta(description="Our number, E.164.")]
    to: Annotated[str, Meta(description="E.164.")]
    text: Annotated[str, Meta(max_length=1600)] = ""
    media: Annotated[list[str], Meta(description="Public URLs; makes it an MMS.")] | None = None
    key: Key | None = None


class Reply(Question):
    id: Annotated[str, Meta(description="Of the inbound message.")]
    text: Annotated[str, Meta(max_length=1600)]
    key: Key | None = None


class ReadThread(Question):
    id: Annotated[str, Meta(description="thread_id.")] | None = None
    contact: Annotated[str, Meta(description="Or: their newest thread.")] | None = None
    limit: Annotated[int, Meta(ge=1, le=200)] = 20


class OptOutState(Question):
    contact: str


class OneTimeCode(Question):
    to: Annotated[str, Meta(description="Our number that it was sent to.")]
    from_number: str | None = None
    after: Annotated[str, Meta(description="Message id: only newer codes.")] | None = None
    seconds: Seconds = 0


class ListNumbers(Question):
    pass


class ListInbox(Question):
    from_number: Annotated[str, Meta(description="Sender.")] | None = None
    after: Annotated[str, Meta(description="Message id: what came after it, oldest first.")] | None = None
    limit: Limit = 10


class WaitForInbox(Question):
    from_number: str | None = None
    after: Annotated[str, Meta(description="Only after this message id; else from now on.")] | None = None
    seconds: Seconds = 30


class SendFromInbox(Question):
    to: Annotated[str, Meta(description="E.164.")]
    text: Annotated[str, Meta(min_length=1, max_length=1600)]
    key: Key | None = None


class InboxCode(Question):
    from_number: str | None = None
    after: Annotated[str, Meta(description="Message id: only newer codes.")] | None = None
    seconds: Seconds = 0
