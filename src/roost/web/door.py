"""Who is let in: a session by its cookie, and a change only from a page of ours.

The cookie is sent to the pages alone, so that no route of the API ever sees one. A change must come from our own origin, as
the browser says, and have the token that only our own pages hold.
"""

import hmac
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from roost.api.auth import ShortCache
from roost.api.http import read_body
from roost.errors import Refusal
from roost.store.base import Store
from roost.store.sessions import SESSION_US, Begun, Session, Sessions
from roost.web.pages import ROOT, SignInNeeded

COOKIE, TOKEN = "roost_session", "token"
MAX_FORM_BYTES = 64 * 1024
_PURPOSE = "inbox page forms"


class Form(NamedTuple):
    """What somebody who is signed in sent from a page of ours."""

    session: Session
    values: dict[str, str]
    raw: bytes

    def text(self, name: str, most: int = 255) -> str:
        """A field, without spaces around it; empty when it is not there."""
        return self.values.get(name, "").strip()[:most]


class Door:
    """Over one store. `public_url` is where browsers reach the pages."""

    def __init__(self, store: Store, public_url: str) -> None:
        self._sessions = Sessions(store)
        self._known: ShortCache[Session] = ShortCache(self._sessions.session)
        self._store = store
        self._key = store.vault.derive(_PURPOSE)
        parts = urlsplit(public_url)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._path = f"{parts.path.rstrip('/')}{ROOT}"
        self._secure = "; Secure" if parts.scheme == "https" else ""

    async def session(self, request: Request, scope: str = "messages:read") -> Session:
        """Who asks. Raises SignInNeeded, and refuses with 403 what the session may not do."""
        secret = request.cookies.get(COOKIE, "")
        session = await self._known.get(secret) if secret else None
        if session is None or session.expires_at <= self._store.clock():
            raise SignInNeeded
        if scope not in session.scopes:
            raise Refusal(403, "FORBIDDEN", f"You signed in without the scope {scope}.")
        return session

    async def form(self, request: Request, scope: str) -> Form:
        """What was sent. Raises SignInNeeded, and refuses with 403 what does not come from a page of this session."""
        session = await self.session(request, scope)
        raw = await self._from_here(request)
        values = _values(raw)
        if not hmac.compare_digest(values.get(TOKEN, "").encode(), self.token(session).encode()):
            raise _foreign()
        return Form(session, values, raw)

    async def foreign_form(self, request: Request) -> dict[str, str]:
        """What was sent by somebody who is not signed in. Refuses with 403 what comes from another origin."""
        return _values(await self._from_here(request))

    async def _from_here(self, request: Request) -> bytes:
        origin = request.headers.get("origin", "")
        # A proxy may have changed Host, and somebody on this machine may have called us by another name.
        if not origin or (origin != self._origin and urlsplit(origin).netloc != request.headers.get("host")):
            raise _foreign()
        return await read_body(request, MAX_FORM_BYTES)

    def token(self, session: Session) -> str:
        """What the forms of a session's pages have."""
        return hmac.digest(self._key, session.id.encode(), "sha256").hex()

    async def end(self, session: Session) -> None:
        """Sign out."""
        await self._sessions.end(session)

    def let_in(self, answer: Response, begun: Begun) -> Response:
        """The answer, with the session's cookie."""
        self._set_cookie(answer, begun.secret, SESSION_US // 1_000_000)
        return answer

    def let_out(self, answer: Response) -> Response:
        """The answer, which takes the cookie away."""
        self._set_cookie(answer, "", 0)
        return answer

    def _set_cookie(self, answer: Response, value: str, seconds: int) -> None:
        cookie = f"{COOKIE}={value}; Path={self._path}; Max-Age={seconds}; HttpOnly; SameSite=Lax{self._secure}"
        answer.headers.append("Set-Cookie", cookie)


def _values(raw: bytes) -> dict[str, str]:
    return dict(parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True))


def _foreign() -> Refusal:
    return Refusal(
        403, "FORBIDDEN", "This did not come from a page of this inbox. Go back, load the page again, and retry."
    )
