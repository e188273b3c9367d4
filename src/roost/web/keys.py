"""API keys on the page: listed, made (the secret is shown once) and revoked."""

from starlette.requests import Request
from starlette.responses import Response

from roost.api.limits import Limits
from roost.api.queries import path_id
from roost.core.scopes import SCOPES
from roost.store.base import Store
from roost.store.directory import Directory, Issued
from roost.store.pages import PageOf
from roost.store.sessions import Session
from roost.web.door import Door
from roost.web.frame import Frame

READ, WRITE = "apikeys:read", "apikeys:write"
_LISTED = 200


class Keys:
    """Handlers over one store."""

    def __init__(self, store: Store, frame: Frame, door: Door, limits: Limits) -> None:
        self._directory = Directory(store)
        self._frame = frame
        self._door = door
        self._limits = limits

    async def show(self, request: Request) -> Response:
        """All of the organization's."""
        return await self._page(await self._door.session(request, READ))

    async def create(self, request: Request) -> Response:
        """A key with scopes that whoever makes it has; its secret is on this page and nowhere else."""
        form = await self._door.form(request, WRITE)
        label = form.text("label")
        wanted = [scope for scope in SCOPES if f"scope {scope}" in form.values]
        if not label or not wanted or not form.session.scopes.issuperset(wanted):
            return await self._page(form.session, 422, wrong="Give it a name and at least one thing that it may do.")
        await self._limits.take("keys", form.session.org_id, request)
        org_id, actor = form.session.org_id, form.session.actor
        issued = await self._directory.create_api_key(org_id, label, wanted, None, actor)
        return await self._page(form.session, 201, issued=issued)

    async def revoke(self, request: Request) -> Response:
        """It is refused from now on."""
        form = await self._door.form(request, WRITE)
        key_id = path_id(request.path_params["id"])
        await self._directory.revoke_api_key(form.session.org_id, key_id, form.session.actor)
        return self._frame.pages.to(self._frame.pages.at("/keys"))

    async def _page(
        self, session: Session, status: int = 200, *, wrong: str = "", issued: Issued | None = None
    ) -> Response:
        keys = (await self._directory.api_keys(PageOf(session.org_id, _LISTED))).items
        offered = {scope: text for scope, text in SCOPES.items() if scope in session.scopes}
        values = {"keys": keys, "offered": offered, "may_write": WRITE in session.scopes}
        return await self._frame.page("keys.html", session, "keys", status, wrong=wrong, issued=issued, **values)
