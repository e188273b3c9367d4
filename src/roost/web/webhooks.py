"""Webhook deliveries on the page: each try to tell an endpoint of an event, and a button that tells it once more."""

from starlette.requests import Request
from starlette.responses import Response

from roost.api.errors import not_found
from roost.api.limits import Limits
from roost.api.queries import path_id
from roost.core.ids import LAST_ID, parse_uuid
from roost.core.webhooks import OUTCOMES
from roost.errors import Refusal
from roost.push.webhooks.asking import event_to_replay
from roost.store.base import Store
from roost.store.pages import PageOf
from roost.store.sessions import Session
from roost.store.webhook_log import LogFilters, log_entry, logged
from roost.store.webhook_queue import queue_again
from roost.web.door import Door
from roost.web.frame import Frame

READ, WRITE = "webhooks:read", "webhooks:write"
_LISTED = 50


class WebhooksPage:
    """Handlers over one store."""

    def __init__(self, store: Store, frame: Frame, door: Door, limits: Limits) -> None:
        self._store = store
        self._frame = frame
        self._door = door
        self._limits = limits

    async def show(self, request: Request) -> Response:
        """The newest first; `before` goes on with older ones, `outcome` asks for some alone."""
        return await self._page(request, await self._door.session(request, READ))

    async def replay(self, request: Request) -> Response:
        """The endpoint of a delivery is told of its event once more."""
        form = await self._door.form(request, WRITE)
        found = await log_entry(self._store, form.session.org_id, path_id(request.path_params["id"]))
        if found is None:
            raise not_found()
        await self._limits.take("replays", form.session.org_id, request)
        try:
            event, url = await event_to_replay(self._store, found)
        except Refusal as refusal:
            return await self._page(request, form.session, refusal.status, f"It was not replayed: {refusal.message}.")
        await self._store.transact(lambda tx: queue_again(tx, found.entry.target, event, tx.new_id()))
        return await self._page(request, form.session, told=f"{url} will be told once more.")

    async def _page(self, request: Request, session: Session, status: int = 200, told: str = "") -> Response:
        outcome = request.query_params.get("outcome", "")
        chosen = next((each for each in OUTCOMES if each == outcome), None)
        below = parse_uuid(request.query_params.get("before", "")) or LAST_ID
        found = await logged(self._store, PageOf(session.org_id, _LISTED, below), LogFilters(outcome=chosen))
        return await self._frame.page(
            "webhooks.html", session, "webhooks", status, deliveries=found.items, told=told, outcomes=OUTCOMES,
            older=found.items[-1].id if found.has_more else None, chosen=chosen or "", may_replay=WRITE in session.scopes,
        )  # fmt: skip
