"""The opt-outs that stand, the newest first: who may not be texted, and how we know."""

from starlette.requests import Request
from starlette.responses import Response

from roost.store.base import Store
from roost.store.consent_list import ConsentQuery, list_consents
from roost.web.door import Door
from roost.web.frame import Frame

READ = "consent:read"
_LISTED = 50
_KNOWN_BY = {
    "inbound_reply": "their text", "inbound_message": "their text", "carrier": "the carrier", "api": "your organization",
    "hosted_form": "a form",
}  # fmt: skip


class OptOuts:
    """The handler over one store."""

    def __init__(self, store: Store, frame: Frame, door: Door) -> None:
        self._store = store
        self._frame = frame
        self._door = door

    async def show(self, request: Request) -> Response:
        """A page of them; `before` goes on with older ones."""
        session = await self._door.session(request, READ)
        before = request.query_params.get("before", "")
        query = ConsentQuery(session.org_id, _LISTED, state="opted_out")
        if before.isascii() and before.isdigit() and len(before) <= 18:
            query = query._replace(below=int(before))
        consents, more = await list_consents(self._store, query)
        shown = [(each, _KNOWN_BY.get(each.source, each.source)) for each in consents]
        older = consents[-1].updated_at if more else None
        return await self._frame.page("opt_outs.html", session, "optouts", consents=shown, older=older)
