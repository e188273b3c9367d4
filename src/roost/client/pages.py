"""One page at a time, for who keeps the cursor."""

from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar
from urllib.parse import quote

from roost.client import inbound
from roost.client.calls import D, call
from roost.client.flow import Flow, Request
from roost.client.models import InboundMessage, ThreadMessage
from roost.client.resource import Resource, read, read_page

T = TypeVar("T")


class Page(NamedTuple, Generic[T]):
    """Some items of a list; `cursor` gives the next ones, with the same arguments. None: these are the last."""

    items: Sequence[T]
    cursor: str | None


class Pages(Resource[D]):
    """Single pages of the lists that `inbound.list` and `threads.messages` walk over."""

    @call
    def inbound(
        self,
        *,
        from_number: str | None = None,
        to_number: str | None = None,
        after: str | None = None,
        include: Sequence[str] | None = None,
        page_size: int | None = None,
        cursor: str | None = None,
    ) -> Flow[Page[InboundMessage]]:
        """Newest first; with `after`, oldest first."""
        request = read(
            inbound.PATH, from_=from_number, to=to_number, after=after, include=include, limit=page_size, cursor=cursor
        )
        return self._page(request, InboundMessage)

    @call
    def thread(
        self, thread_id: str, *, page_size: int | None = None, cursor: str | None = None
    ) -> Flow[Page[ThreadMessage]]:
        """Both directions, oldest first. Raises NotFound."""
        path = f"/v1/threads/{quote(thread_id, safe='')}/messages"
        return self._page(read(path, limit=page_size, cursor=cursor), ThreadMessage)

    def _page(self, request: Request, kind: type[T]) -> Flow[Page[T]]:
        answer = yield from self._answer(request)
        return Page(*read_page(answer, kind))
