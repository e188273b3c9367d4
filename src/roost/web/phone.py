"""The phone beside the inbox: it plays the other side of a thread, through the carrier that has no network."""

import json
import secrets
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from roost.api.errors import not_found
from roost.carriers.loopback import NAME as LOOPBACK
from roost.core.numbers import is_e164
from roost.core.outbound import MAX_TEXT
from roost.store.base import Store
from roost.store.carrier_accounts import CarrierAccounts
from roost.store.group import Outcome
from roost.store.pairs import Pair, pair_messages
from roost.store.sessions import Session
from roost.web.door import Door
from roost.web.frame import Frame
from roost.web.views import Messages, MessageView

SCOPE = "messages:send"
#: Whoever it plays until somebody has written: a number that is for fiction.
SOMEBODY = "+14155550123"
_SHOWN = 30

Play = Callable[[str, bytes], Awaitable[Outcome]]
"""Takes an account's id and a delivery, as the carrier would make it."""


class Phone:
    """Handlers over one store."""

    def __init__(self, store: Store, frame: Frame, door: Door, messages: Messages, play: Play) -> None:
        self._store = store
        self._accounts = CarrierAccounts(store)
        self._frame = frame
        self._door = door
        self._messages = messages
        self._play = play

    async def beside(self, session: Session, pair: Pair | None) -> Pair | None:
        """The thread whose other side can be played beside a page; None where no number is on loopback."""
        if SCOPE not in session.scopes:
            return None
        numbers = await self._accounts.numbers_of(session.org_id, LOOPBACK)
        if pair is not None:
            return pair if pair.number in numbers and is_e164(pair.contact) else None
        return Pair(next(iter(numbers)), SOMEBODY) if numbers else None

    async def show(self, request: Request) -> Response:
        """The phone alone, for a window of its own."""
        session = await self._door.session(request, SCOPE)
        pair = await self.beside(session, _pair(request))
        if pair is None:
            raise not_found()
        return await self._frame.page(
            "phone_alone.html", session, "", phone=pair, heard=await self.heard(session, pair)
        )

    async def heard(self, session: Session, pair: Pair) -> list[MessageView]:
        """What the phone shows: what was written from it, and what has reached it."""
        messages = await pair_messages(self._store, session.org_id, pair, _SHOWN)
        arrived = [each for each in messages if not each.is_outbound or each.status in ("sent", "delivered")]
        return await self._messages.views(session.org_id, arrived)

    async def write(self, request: Request) -> Response:
        """A text from the phone."""
        form = await self._door.form(request, SCOPE)
        pair, text = _pair(request), form.values.get("text", "").replace("\r\n", "\n")[:MAX_TEXT]
        account_id = (await self._accounts.numbers_of(form.session.org_id, LOOPBACK)).get(pair.number)
        if account_id is None or not is_e164(pair.contact):
            raise not_found()
        event = {"id": f"phone-{secrets.token_hex(8)}", "from": pair.contact, "to": pair.number, "text": text}
        if text:
            await self._play(account_id, json.dumps(event).encode())
        return self._frame.pages.to(self._frame.pages.thread_at(pair))


def _pair(request: Request) -> Pair:
    return Pair(request.path_params["number"], request.path_params["contact"])
