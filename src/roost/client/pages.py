"""One page at a time, for who keeps the cursor."""

from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar

from roost.client import inbound
from roost.client.calls import D, call
from roost.client.flow import Flow
from roost.client.models import InboundMessage
from roost.client.resource import Resource, read, read_page

T = TypeVar("T")


class Page(NamedTuple, Generic[T]):
    """Some items of a list; `cursor` gives the next ones, with the same arguments. None: these are the last."""

    items: Sequence[T]
    cursor: str | None


class Pages(Resource[D]):
    """Single pages of what `inbound.list` walks over."""

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
        return Page(*read_page((yield from self._answer(request)), InboundMessage))
