"""Numbers and agents on the page: which there are, who holds what, and a new one."""

from starlette.requests import Request
from starlette.responses import Response

from roost.core.numbers import is_e164
from roost.store.base import Store
from roost.store.carrier_accounts import CarrierAccounts
from roost.store.directory import Directory
from roost.store.pages import PageOf
from roost.store.sessions import Session
from roost.web.door import Door, Form
from roost.web.frame import Frame

READ, WRITE, AGENTS = "numbers:read", "numbers:write", "org:read"
_LISTED = 1000


class Numbers:
    """Handlers over one store."""

    def __init__(self, store: Store, frame: Frame, door: Door) -> None:
        self._directory = Directory(store)
        self._accounts = CarrierAccounts(store)
        self._frame = frame
        self._door = door

    async def show(self, request: Request) -> Response:
        """The organization's numbers."""
        return await self._page(await self._door.session(request, READ))

    async def add(self, request: Request) -> Response:
        """Another number on one of the organization's accounts."""
        form = await self._door.form(request, WRITE)
        wrong = await self._add(form)
        return (
            await self._page(form.session, 422, wrong)
            if wrong
            else self._frame.pages.to(self._frame.pages.at("/numbers"))
        )

    async def agents(self, request: Request) -> Response:
        """The organization's agents, each with the numbers that it holds."""
        session = await self._door.session(request, AGENTS)
        found = (await self._directory.agents(PageOf(session.org_id, _LISTED))).items
        agents = [(agent, await self._directory.numbers_of(agent)) for agent in found]
        return await self._frame.page("agents.html", session, "agents", agents=agents)

    async def _add(self, form: Form) -> str:
        """What is wrong; empty: it was added."""
        org_id, number, agent_id = form.session.org_id, form.text("number"), form.text("agent") or None
        accounts = {account.id for account in await self._accounts.accounts(org_id)}
        agents = {agent.id for agent in (await self._directory.agents(PageOf(org_id, _LISTED))).items}
        if not is_e164(number):
            return "Write the number as E.164, such as +15551112222."
        if form.text("account") not in accounts or (agent_id is not None and agent_id not in agents):
            return "Choose one of your own accounts and agents."
        made = await self._directory.add_number(
            org_id, number, form.text("account"), agent_id, form.text("label"), actor=form.session.actor
        )
        return "" if made else "This number is registered already."

    async def _page(self, session: Session, status: int = 200, wrong: str = "") -> Response:
        page = PageOf(session.org_id, _LISTED)
        accounts = {account.id: account for account in await self._accounts.accounts(session.org_id)}
        agents = {agent.id: agent for agent in (await self._directory.agents(page)).items}
        numbers = (await self._directory.numbers(page)).items
        values = {"numbers": numbers, "accounts": accounts, "agents": agents, "may_write": WRITE in session.scopes}
        return await self._frame.page("numbers.html", session, "numbers", status, wrong=wrong, **values)
