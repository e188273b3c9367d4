"""Carrier accounts on the page: the webhook URL to copy, and a button that says whether the set-up is right."""

from collections.abc import Awaitable, Callable, Sequence

from starlette.requests import Request
from starlette.responses import Response

from roost.api.checkup import webhook_url
from roost.api.errors import not_found
from roost.api.queries import path_id
from roost.carriers.contract import Finding
from roost.core.account import CarrierAccount
from roost.store.base import Store
from roost.store.carrier_accounts import CarrierAccounts
from roost.store.directory import Directory
from roost.store.sessions import Session
from roost.web.door import Door
from roost.web.frame import Frame

READ, TEST = "org:read", "org:admin:write"
CheckUp = Callable[[CarrierAccount], Awaitable[list[Finding]]]


class Accounts:
    """Handlers over one store. `check_up` of None: nobody here can ask a carrier."""

    def __init__(self, store: Store, frame: Frame, door: Door, public_url: str, check_up: CheckUp | None) -> None:
        self._directory = Directory(store)
        self._accounts = CarrierAccounts(store)
        self._frame = frame
        self._door = door
        self._public_url = public_url
        self._check_up = check_up

    async def show(self, request: Request) -> Response:
        """The organization's accounts."""
        return await self._page(await self._door.session(request, READ))

    async def test(self, request: Request) -> Response:
        """What is wrong with one; the carrier is asked, and nothing is changed."""
        form = await self._door.form(request, TEST)
        account = await self._directory.carrier_account(path_id(request.path_params["id"]))
        if account is None or account.org_id != form.session.org_id or self._check_up is None:
            raise not_found()
        return await self._page(form.session, account.id, await self._check_up(account))

    async def _page(self, session: Session, tested: str = "", findings: Sequence[Finding] = ()) -> Response:
        shown = []
        for entry in await self._accounts.accounts(session.org_id):
            account = CarrierAccount(entry.id, session.org_id, entry.carrier, {})
            url = webhook_url(self._public_url, account)
            shown.append((entry, url, await self._accounts.reception(account)))
        may_test = TEST in session.scopes and self._check_up is not None
        return await self._frame.page(
            "accounts.html", session, "accounts", accounts=shown, tested=tested, findings=findings, may_test=may_test
        )
