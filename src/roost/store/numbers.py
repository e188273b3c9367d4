"""Numbers, and the agents that hold them: registered, listed, changed and removed."""

from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID

from roost.core.ids import id_text
from roost.store.audit import OPERATOR, Actor
from roost.store.base import Row
from roost.store.changes import Beside, Changes, nothing_beside
from roost.store.events import never_left, tell_steps
from roost.store.pages import Condition, PageOf, Slice, newest_first
from roost.store.sql import DIRECTORY, QUERIES
from roost.store.transaction import Transaction
from roost.store.webhook_endpoints import follow_urls


class Agent(NamedTuple):
    """`wallet` as it was registered; addresses are compared lower-cased."""

    org_id: str
    id: str
    wallet: str
    open: bool


class Number(NamedTuple):
    """A phone number of an organization's carrier account; `segments_per_second` of None is the server's default."""

    org_id: str
    id: str
    number: str
    carrier_account_id: str
    agent_id: str | None
    label: str
    created_at: int
    number_type: str = "local"
    inbound_url: str | None = None
    status_url: str | None = None
    segments_per_second: float | None = None
    updated_at: int | None = None


class Routing(NamedTuple):
    """What of a number has a default."""

    number_type: str = "local"
    inbound_url: str | None = None
    status_url: str | None = None
    segments_per_second: float | None = None


class NumberFilters(NamedTuple):
    """What to look for; None does not filter. `search` is a part of the number or of its label, in any case."""

    number_type: str | None = None
    search: str | None = None


_ALL, _USUAL = NumberFilters(), Routing()


class Numbers(Changes):
    """The part of the directory that says who holds what."""

    async def add_agent(self, org_id: str, wallet: str, *, open_: bool, actor: Actor = OPERATOR) -> Agent | None:
        """None when the wallet is registered already, in whichever organization."""
        agent_id, now = self._new_id()

        async def add(transaction: Transaction) -> bool:
            row = (UUID(org_id), UUID(agent_id), wallet.lower(), wallet, open_, now)
            if not await transaction.fetch(QUERIES["create_agent"], *row):
                return False
            await self._log(transaction, org_id, actor, "agent.created", agent_id, {"wallet": wallet, "open": open_})
            return True

        return Agent(org_id, agent_id, wallet, open_) if await self._store.transact(add) else None

    async def agent(self, wallet: str) -> Agent | None:
        rows = await self._store.fetch(QUERIES["agent"], wallet.lower())
        return _agent(rows[0]) if rows else None

    async def agent_by_id(self, org_id: str, agent_id: str) -> Agent | None:
        rows = await self._store.fetch(DIRECTORY["agent_one"], UUID(org_id), UUID(agent_id))
        return _agent(rows[0]) if rows else None

    async def open_agents(self) -> list[Agent]:
        return [_agent(row) for row in await self._store.fetch(QUERIES["open_agents"])]

    async def agents(self, page: PageOf) -> Slice[Agent]:
        """Newest first."""
        return await newest_first(self._store, DIRECTORY["agents"], page, (), _agent)

    async def open_agent(self, agent: Agent, *, open_: bool, actor: Actor = OPERATOR) -> Agent:
        """Believe the X-Agent-ID header alone from now on, or do not any more."""

        async def change(transaction: Transaction) -> None:
            await transaction.fetch(DIRECTORY["open_agent"], UUID(agent.org_id), UUID(agent.id), open_)
            await self._log(transaction, agent.org_id, actor, "agent.updated", agent.id, {"open": open_})

        await self._store.transact(change)
        return agent._replace(open=open_)

    async def numbers_of(self, agent: Agent) -> list[str]:
        """The numbers that the agent holds, first registered first."""
        rows = await self._store.fetch(DIRECTORY["numbers_of_agent"], UUID(agent.org_id), UUID(agent.id))
        return [row[0] for row in rows]

    async def add_number(
        self,
        org_id: str,
        number: str,
        account_id: str,
        agent_id: str | None,
        label: str,
        *,
        actor: Actor = OPERATOR,
        beside: Beside[Number] = nothing_beside,
        routing: Routing = _USUAL,
    ) -> Number | None:
        """None when the number is registered already, whoever holds it."""
        number_id, now = self._new_id()
        added = Number(org_id, number_id, number, account_id, agent_id, label, now, *routing)

        async def add(transaction: Transaction) -> bool:
            agent = UUID(agent_id) if agent_id else None
            row = (UUID(org_id), UUID(number_id), number, UUID(account_id), agent, label, now)
            if not await transaction.fetch(DIRECTORY["create_number"], *row, *routing):
                return False
            payload = {"number": number, "carrier_account_id": account_id, "agent_id": agent_id, "label": label}
            if routing.inbound_url or routing.status_url:
                await follow_urls(transaction, org_id, number_id, routing.inbound_url, routing.status_url)
            await self._log(transaction, org_id, actor, "phone_number.created", number_id, payload)
            await beside(transaction, added)
            return True

        return added if await self._store.transact(add) else None

    async def number(self, number: str) -> Number | None:
        """Whoever holds it."""
        rows = await self._store.fetch(DIRECTORY["number"], number)
        return _number(rows[0]) if rows else None

    async def number_by_id(self, org_id: str, number_id: str) -> Number | None:
        rows = await self._store.fetch(DIRECTORY["number_one"], UUID(org_id), UUID(number_id))
        return _number(rows[0]) if rows else None

    async def numbers(self, page: PageOf, filters: NumberFilters = _ALL) -> Slice[Number]:
        """Newest first."""
        conditions: list[Condition] = []
        if filters.number_type is not None:
            conditions.append(("number_type = {}", filters.number_type))
        if filters.search is not None:
            part = f"%{_literal(filters.search)}%"
            conditions.append(("(number LIKE {} ESCAPE '!' OR lower(label) LIKE {} ESCAPE '!')", part, part.lower()))
        return await newest_first(self._store, DIRECTORY["numbers"], page, conditions, _number)

    async def change_number(
        self, org_id: str, number_id: str, change: Callable[[Number], Number], actor: Actor = OPERATOR
    ) -> Number | None:
        """The number after `change`, which may touch its agent, label, URLs and pace. None when there is no such number."""

        async def work(transaction: Transaction) -> Number | None:
            await transaction.lock(org_id)
            rows = await transaction.fetch(DIRECTORY["number_one"], UUID(org_id), UUID(number_id))
            if not rows:
                return None
            standing = _number(rows[0])
            changed = change(standing)
            if changed == standing:
                return standing
            changed = changed._replace(updated_at=transaction.now())
            agent = UUID(changed.agent_id) if changed.agent_id else None
            values = (agent, changed.label, changed.inbound_url, changed.status_url, changed.segments_per_second)
            ids = (UUID(org_id), UUID(number_id))
            await transaction.fetch(DIRECTORY["change_number"], *ids, *values, changed.updated_at)
            await follow_urls(transaction, org_id, number_id, changed.inbound_url, changed.status_url)
            payload = {
                name: value
                for name, value, before in zip(Number._fields, changed, standing, strict=True)
                if value != before and name != "updated_at"
            }
            await self._log(transaction, org_id, actor, "phone_number.updated", number_id, payload)
            return changed

        return await self._store.transact(work)

    async def remove_number(self, org_id: str, number_id: str, actor: Actor = OPERATOR) -> bool:
        """Whether there was such a number. Its messages stay; what was queued from it is cancelled."""

        async def remove(transaction: Transaction) -> bool:
            await transaction.lock(org_id)
            ids = (UUID(org_id), UUID(number_id))
            rows = await transaction.fetch(DIRECTORY["number_one"], *ids)
            if not rows:
                return False
            reason = "the number that it was to leave from was removed"
            cancelled = await transaction.fetch(DIRECTORY["cancel_messages_of_number"], *ids, reason)
            for name in ("empty_outbox_of_number", "withdraw_leases_of_number", "forget_pace", "remove_number"):
                await transaction.fetch(DIRECTORY[name], *ids)
            await follow_urls(transaction, org_id, number_id, None, None)
            keys = [(UUID(org_id), UUID(id_text(row[0]))) for row in cancelled]
            await tell_steps(transaction, dict.fromkeys(keys, never_left("CANCELED", reason)))
            payload = {"number": _number(rows[0]).number, "cancelled_messages": len(cancelled)}
            await self._log(transaction, org_id, actor, "phone_number.released", number_id, payload)
            return True

        return await self._store.transact(remove)


def _agent(row: Row) -> Agent:
    return Agent(id_text(row[0]), id_text(row[1]), row[2], bool(row[3]))


def _number(row: Row) -> Number:
    org_id, number_id, number, account_id, agent_id, *rest = row
    agent = None if agent_id is None else id_text(agent_id)
    return Number(id_text(org_id), id_text(number_id), number, id_text(account_id), agent, *rest)


def _literal(text: str) -> str:
    for special in "!%_":
        text = text.replace(special, f"!{special}")
    return text
