"""What templates are given of threads and messages: decided here, so that a template only lays out."""

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from roost.core.media import KEPT_US, REASONS, UPLOAD_PREFIX
from roost.core.media_urls import MediaUrls
from roost.core.numbers import is_e164
from roost.core.organization import Settings
from roost.core.outbound import UNSETTLED
from roost.store.base import Store
from roost.store.media import find_medium
from roost.store.pairs import Head, PairMessage
from roost.web import wording

#: Between two messages so far apart the page says when it was.
_GAP_US = 3600 * 1_000_000
#: Of a text in the list; the whole of it is in the thread.
_SNIPPET = 120


class HeadView(NamedTuple):
    """A thread in the list."""

    number: str
    contact: str
    last_id: str
    at: int
    snippet: str
    is_outbound: bool
    status: str | None
    is_unread: bool
    opted_out: bool
    suspected: bool


class MediumView(NamedTuple):
    """A medium of a message: `kind` is `picture`, `file` (to open or download), `link` (elsewhere), `waiting` or `missing`."""

    kind: str
    href: str
    label: str


class MessageView(NamedTuple):
    """A message in a thread. `trouble` says why it failed or waits; `until` when a waiting one may leave."""

    id: str
    at: int
    begins_anew: bool
    is_outbound: bool
    body: str
    media: list[MediumView]
    status: str | None
    trouble: str
    until: int | None
    segment_count: int
    opted_out: bool
    suspected: bool


def head_view(head: Head, settings: Settings) -> HeadView:
    """A thread as the list shows it."""
    standing = head.standing
    anywhere = settings.opt_out_scope == "organization" and standing.opted_out_anywhere
    picture = "Picture" if head.channel == "mms" else ""
    return HeadView(
        head.pair.number,
        head.pair.contact,
        head.last_id,
        head.at,
        head.body[:_SNIPPET] or picture,
        head.is_outbound,
        head.status,
        head.is_unread,
        standing.state == "opted_out" or anywhere,
        standing.is_suspected,
    )


class Messages:
    """Makes views of messages; their media are looked up."""

    def __init__(self, store: Store, urls: MediaUrls) -> None:
        self._store = store
        self._urls = urls

    async def views(self, org_id: str, messages: Sequence[PairMessage]) -> list[MessageView]:
        """Oldest first, of messages that are newest first."""
        views: list[MessageView] = []
        for message in reversed(messages):
            anew = not views or message.at - views[-1].at > _GAP_US
            views.append(await self._view(org_id, message, anew))
        return views

    async def _view(self, org_id: str, message: PairMessage, begins_anew: bool) -> MessageView:
        return MessageView(
            message.id,
            message.at,
            begins_anew,
            message.is_outbound,
            message.body,
            await self._media(org_id, message) if message.media else [],
            message.status,
            _trouble(message),
            message.due_at if message.state == "waiting" else None,
            message.segment_count,
            message.keyword is not None,
            message.suspected,
        )

    async def _media(self, org_id: str, message: PairMessage) -> list[MediumView]:
        show = self._urls.outbound if message.is_outbound else self._urls.of
        urls = show(org_id, message.id, message.media)
        return [await self._medium(org_id, message, nth, url) for nth, url in enumerate(urls)]

    async def _medium(self, org_id: str, message: PairMessage, nth: int, url: str) -> MediumView:
        if message.is_outbound and not message.media[nth].startswith(UPLOAD_PREFIX):
            return MediumView("link", url, f"At {urlsplit(url).hostname}")
        path = urlsplit(url).path  # whatever this host is called by whoever looks
        medium = await find_medium(self._store, org_id, message.id, nth)
        if medium is None or self._store.clock() >= message.at + KEPT_US:
            return MediumView("missing", "", "A picture or file that is not kept any more")
        if medium.content is None:
            if medium.state != "failed":
                return MediumView("waiting", "", "A picture or file that is being fetched")
            why = REASONS.get(medium.reason or "", "it failed")
            return MediumView("missing", "", f"A picture or file that cannot be had: {why}")
        kind, size = medium.content.content_type, f"{max(1, medium.content.byte_size // 1024):,} KiB"
        if kind.startswith("image/"):
            return MediumView("picture", path, f"Picture {nth + 1} of {len(message.media)}")
        return MediumView("file", path, f"{kind}, {size}")


def _trouble(message: PairMessage) -> str:
    if message.status in ("failed", "undelivered"):
        said = message.error_description or message.error_code
        return f"{wording.STATUSES[message.status]}: {said}" if said else wording.STATUSES[message.status]
    return wording.WAITS.get(message.state or "", "") if message.status in UNSETTLED else ""


def can_be_answered(contact: str) -> bool:
    """Whether there is anybody to send to: not behind a short code or a sender's name."""
    return is_e164(contact)
