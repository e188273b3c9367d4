"""Signing in, with a one-time link or an API key, and signing out."""

from starlette.requests import Request
from starlette.responses import Response

from roost.api.limits import Limits
from roost.errors import Refusal
from roost.store.base import Store
from roost.store.directory import Directory
from roost.store.sessions import Begun, Sessions
from roost.web.door import Door
from roost.web.pages import Pages

SCOPE = "messages:read"
_WRONG_LINK = "This link was used already, or is older than 15 minutes. Get another one with: roost login"
_WRONG_KEY = "This is no API key that is valid."
_NO_SCOPE = f"This key may not read messages: it lacks the scope {SCOPE}."


class SignIn:
    """Handlers over one store."""

    def __init__(self, store: Store, pages: Pages, door: Door, limits: Limits) -> None:
        self._store = store
        self._directory = Directory(store)
        self._sessions = Sessions(store)
        self._pages = pages
        self._door = door
        self._limits = limits

    async def show(self, request: Request) -> Response:
        """The form for a key."""
        return self._form()

    async def show_link(self, request: Request) -> Response:
        """A button: whatever looks at a link before a person does (a preview, a scanner) must not use it up."""
        link = request.path_params["link"]
        if not await self._sessions.is_good(link):
            return self._form(401, _WRONG_LINK)
        return self._form(link=link)

    async def sign_in(self, request: Request) -> Response:
        """Begin a session."""
        values = await self._door.foreign_form(request)
        try:
            begun = await self._begin(values.get("link", ""), values.get("api_key", "").strip())
        except Refusal as refusal:
            if refusal.status == 401:
                refusal = await self._limits.failed_sign_in(request, refusal)
            return self._form(refusal.status, refusal.message)
        return self._door.let_in(self._pages.to(self._pages.at()), begun)

    async def sign_out(self, request: Request) -> Response:
        """End the session."""
        form = await self._door.form(request, SCOPE)
        await self._door.end(form.session)
        return self._door.let_out(self._pages.to(self._pages.at("/sign-in")))

    async def _begin(self, link: str, api_key: str) -> Begun:
        if link:
            begun = await self._sessions.begin_by_link(link)
            if begun is None:
                raise Refusal(401, "UNAUTHORIZED", _WRONG_LINK)
            return begun
        key = await self._directory.api_key(api_key) if api_key else None
        if key is None or (key.expires_at is not None and key.expires_at <= self._store.clock()):
            raise Refusal(401, "UNAUTHORIZED", _WRONG_KEY)
        if SCOPE not in key.scopes:
            raise Refusal(403, "FORBIDDEN", _NO_SCOPE)
        return await self._sessions.begin_by_key(key)

    def _form(self, status: int = 200, wrong: str = "", link: str = "") -> Response:
        return self._pages.page("sign_in.html", status, wrong=wrong, link=link)
