"""The inbox itself: the list of threads, one thread, what is typed into it, and how far it was read."""

from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from roost.api.auth import ShortCache
from roost.api.errors import not_found
from roost.api.idempotency import Attempt, Idempotency
from roost.api.limits import Limits
from roost.api.outbound import parse_send
from roost.api.sender import Sender
from roost.core.ids import LAST_ID, parse_uuid
from roost.core.numbers import number_as_entered
from roost.core.outbound import MAX_TEXT, OutboundMessage
from roost.errors import Refusal
from roost.store.base import Store
from roost.store.directory import Directory, Number
from roost.store.pages import PageOf
from roost.store.pairs import Pair, keep_read, list_heads, pair_messages
from roost.store.policy import OrganizationPolicy
from roost.store.sending import SendRefused
from roost.store.sessions import Session
from roost.store.transaction import Transaction
from roost.web.door import Door
from roost.web.frame import Frame
from roost.web.outlook import Outlook, Outlooks
from roost.web.phone import Phone
from roost.web.views import Messages, head_view

READ, SEND = "messages:read", "messages:send"
PAGE, MESSAGES = 30, 50
_MOST_NUMBERS = 1000


class _Typed(NamedTuple):
    """What somebody was about to send, and what is said of it."""

    text: str = ""
    outlook: Outlook | None = None
    status: int = 200


_NOTHING = _Typed()


class Threads:
    """Handlers over one store."""

    def __init__(
        self,
        store: Store,
        frame: Frame,
        door: Door,
        sender: Sender,
        policies: ShortCache[OrganizationPolicy],
        messages: Messages,
        limits: Limits,
        phone: Phone,
    ) -> None:
        self._store = store
        self._frame = frame
        self._door = door
        self._sender = sender
        self._outlooks = Outlooks(sender)
        self._policies = policies
        self._directory = Directory(store)
        self._messages = messages
        self._phone = phone
        self._limits = limits
        self._idempotency = Idempotency(store)

    async def show(self, request: Request) -> Response:
        """The newest threads; `before` goes on with older ones."""
        session = await self._door.session(request, READ)
        return await self._frame.page("threads.html", session, "inbox", **await self._listed(request, session))

    async def open(self, request: Request) -> Response:
        """The thread with whom somebody wants to write to."""
        session = await self._door.session(request, SEND)
        number, entered = request.query_params.get("number", ""), request.query_params.get("contact", "")
        contact = number_as_entered(entered[:32], number) if number else None
        if contact is None:
            wrong = "Enter their number with its country code, such as +1 415 555 1234." if entered else ""
            values = {"numbers": await self._numbers(session), "entered": entered, "wrong": wrong}
            listed = await self._listed(request, session)
            return await self._frame.page("new.html", session, "inbox", 422 if wrong else 200, **listed, **values)
        return self._frame.pages.to(self._frame.pages.thread_at((number, contact)))

    async def thread(self, request: Request) -> Response:
        """One thread, and beside it the list."""
        return await self._thread(request, await self._door.session(request, READ), _NOTHING)

    async def send(self, request: Request) -> Response:
        """Send what was typed, as the API does; or the thread again, with what was typed and why it does not go."""
        form = await self._door.form(request, SEND)
        pair, text = _pair(request), form.values.get("text", "").replace("\r\n", "\n")
        org_id = form.session.org_id
        await self._limits.take("sends", org_id, request)
        sent = self._frame.pages.to(self._frame.pages.thread_at(pair))

        async def make(attempt: Attempt) -> Response:
            async def noted(tx: Transaction, message: OutboundMessage) -> None:
                await attempt.name(tx, 303, message.id)

            try:
                values = {"from": pair.number, "to": pair.contact, "text": text}
                await self._sender.send(parse_send(values, org_id), noted)
            except Refusal:  # malformed: the same to whoever typed it
                raise SendRefused("malformed") from None
            return sent

        async def rebuild(message_id: str) -> Response:
            return sent

        try:
            return await self._idempotency.once(request, org_id, form.raw, make, rebuild=rebuild)
        except SendRefused:
            outlook = await self._outlooks.of(org_id, pair, text)
            return await self._thread(request, form.session, _Typed(text, outlook, 422))

    async def look_ahead(self, request: Request) -> Response:
        """What would become of what is typed so far: the part of the page that says so."""
        form = await self._door.form(request, SEND)
        outlook = await self._outlooks.of(form.session.org_id, _pair(request), form.values.get("text", ""))
        return self._frame.pages.page("outlook.html", outlook=outlook)

    async def read(self, request: Request) -> Response:
        """Somebody has seen the thread up to a message."""
        form = await self._door.form(request, READ)
        read_id = parse_uuid(form.text("id"))
        if read_id is not None:
            await keep_read(self._store, form.session.org_id, _pair(request), read_id)
        return self._frame.pages.to(self._frame.pages.at()) if form.text("from_page") else Response(status_code=204)

    async def _thread(self, request: Request, session: Session, typed: _Typed) -> Response:
        pair = _pair(request)
        below = parse_uuid(request.query_params.get("before", "")) or LAST_ID
        messages = await pair_messages(self._store, session.org_id, pair, MESSAGES + 1, below)
        owned = await self._owned(session, pair.number)
        if not messages and owned is None:
            raise not_found()
        views = await self._messages.views(session.org_id, messages[:MESSAGES])
        outlook = typed.outlook
        if outlook is None and SEND in session.scopes:
            outlook = await self._outlooks.of(session.org_id, pair, "")
        listed = await self._listed(request, session, pair, paged=False)
        current = next((head for head in listed["heads"] if (head.number, head.contact) == pair), None)
        return await self._frame.page(
            "thread.html", session, "inbox", typed.status, **listed,
            pair=pair, number=owned, messages=views, older=views[0].id if len(messages) > MESSAGES else None,
            is_newest=below == LAST_ID, outlook=outlook, text=typed.text, head=current, max_text=MAX_TEXT,
        )  # fmt: skip

    async def _listed(
        self, request: Request, session: Session, pair: Pair | None = None, *, paged: bool = True
    ) -> dict[str, Any]:
        before = parse_uuid(request.query_params.get("before", "")) if paged else None
        found = await list_heads(self._store, session.org_id, PAGE, before or LAST_ID)
        policy = await self._policies.get(session.org_id)
        assert policy is not None, "a session belongs to an organization"
        heads = [head_view(head, policy.settings) for head in found.heads]
        phone = await self._phone.beside(session, pair)
        heard = await self._phone.heard(session, phone) if phone else []
        page = {"heads": heads, "next_below": found.next_below, "is_first_page": before is None}
        return {**page, "phone": phone, "heard": heard}

    async def _owned(self, session: Session, number: str) -> Number | None:
        owned = await self._directory.number(number)
        return owned if owned is not None and owned.org_id == session.org_id else None

    async def _numbers(self, session: Session) -> list[Number]:
        return (await self._directory.numbers(PageOf(session.org_id, _MOST_NUMBERS))).items


def _pair(request: Request) -> Pair:
    return Pair(request.path_params["number"], request.path_params["contact"])
