"""Unrouted deliveries on the page: what came and could not be placed, and a button that places it."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from roost.api.errors import not_found
from roost.api.queries import path_id
from roost.errors import Refusal
from roost.store.audit import Actor
from roost.store.base import Store
from roost.store.directory import Directory
from roost.store.pages import PageOf
from roost.store.sessions import Session
from roost.store.unrouted import UnroutedDelivery, list_unrouted, unrouted_delivery
from roost.web.door import Door
from roost.web.frame import Frame

READ, ROUTE = "messages:read", "org:admin:write"
_LISTED, _NUMBERS, _SHOWN = 100, 1000, 2000

RouteIt = Callable[[UnroutedDelivery, str | None, Actor], Awaitable[str]]
"""Makes a message of a delivery, to a number or to where it was sent. Refuses with 409, and says why."""


class Unrouted:
    """Handlers over one store."""

    def __init__(self, store: Store, frame: Frame, door: Door, route: RouteIt) -> None:
        self._store = store
        self._directory = Directory(store)
        self._frame = frame
        self._door = door
        self._route = route

    async def show(self, request: Request) -> Response:
        """What still waits."""
        return await self._page(await self._door.session(request, READ))

    async def route(self, request: Request) -> Response:
        """Make a message of one."""
        form = await self._door.form(request, ROUTE)
        delivery = await unrouted_delivery(self._store, form.session.org_id, path_id(request.path_params["id"]))
        if delivery is None:
            raise not_found()
        try:
            await self._route(delivery, form.text("number") or None, form.session.actor)
        except Refusal as refusal:
            return await self._page(form.session, 422, delivery.id, refusal.message)
        return self._frame.pages.to(self._frame.pages.at("/unrouted"))

    async def _page(self, session: Session, status: int = 200, tried: str = "", wrong: str = "") -> Response:
        found = await list_unrouted(self._store, session.org_id, _LISTED)
        shown = [(each, each.raw[:_SHOWN].decode("utf-8", "backslashreplace")) for each in found]
        numbers = (await self._directory.numbers(PageOf(session.org_id, _NUMBERS))).items
        values = {"deliveries": shown, "numbers": numbers, "may_route": ROUTE in session.scopes}
        return await self._frame.page("unrouted.html", session, "unrouted", status, tried=tried, wrong=wrong, **values)
