"""Sending, as both dialects do it: whose number it is, whether its account can send, and one group commit for all."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from roost.api.auth import ShortCache
from roost.carriers.registry import CARRIERS
from roost.core.account import CarrierAccount
from roost.core.organization import Settings
from roost.core.outbound import OutboundMessage, Send
from roost.store.base import Store
from roost.store.committer import GroupCommitter
from roost.store.directory import Directory, Number
from roost.store.foresight import Foreseen, foresee
from roost.store.policy import OrganizationPolicy
from roost.store.sending import SendRefused, accept
from roost.store.transaction import Transaction

OnAccept = Callable[[Transaction, OutboundMessage], Awaitable[None]]
Outcome = OutboundMessage | SendRefused


class _Item(NamedTuple):
    send: Send
    settings: Settings
    on_accept: OnAccept | None


class Sender:
    """Accepts sends. `wake` tells the worker that there is something to do."""

    def __init__(self, store: Store, policies: ShortCache[OrganizationPolicy], wake: Callable[[], None]) -> None:
        directory = Directory(store)
        self._store = store
        self._policies = policies
        self.wake = wake
        self._numbers: ShortCache[Number] = ShortCache(directory.number)
        self._accounts: ShortCache[CarrierAccount] = ShortCache(directory.carrier_account)
        self._committers: dict[str, GroupCommitter[_Item, Outcome]] = {}

    async def send(self, send: Send, on_accept: OnAccept | None = None) -> OutboundMessage:
        """The message, durably queued. `on_accept` writes more in the same transaction. Raises SendRefused."""
        policy = await self.policy_for(send)
        outcome = await self._committer_of(send.org_id).submit(_Item(send, policy.settings, on_accept))
        if isinstance(outcome, SendRefused):
            raise outcome
        self.wake()
        return outcome

    async def foresee(self, send: Send) -> Foreseen:
        """What would become of it now."""
        try:
            policy = await self.policy_for(send)
        except SendRefused as refused:
            return Foreseen(refused.reason)
        return await foresee(self._store, send, policy.settings)

    async def policy_for(self, send: Send) -> OrganizationPolicy:
        """How the organization wants it done. Raises SendRefused when it cannot send from that number at all."""
        number = await self._numbers.get(send.from_number)
        if number is None or number.org_id != send.org_id:
            raise SendRefused("not_owned")
        account = await self._accounts.get(number.carrier_account_id)
        if account is None or not CARRIERS[account.carrier].can_send(account):
            raise SendRefused("receive_only")
        policy = await self._policies.get(send.org_id)
        assert policy is not None, "a number belongs to an organization"
        return policy

    def _committer_of(self, org_id: str) -> GroupCommitter[_Item, Outcome]:
        # Distributed by organization, one transaction touches one organization.
        owner = org_id if self._store.is_distributed else ""
        committer = self._committers.get(owner)
        if committer is None:
            committer = self._committers[owner] = GroupCommitter(self._commit)
        return committer

    async def _commit(self, group: list[_Item]) -> list[Outcome]:
        async def work(tx: Transaction) -> list[Outcome]:
            outcomes = await accept(tx, [(item.send, item.settings) for item in group])
            for item, outcome in zip(group, outcomes, strict=True):
                if item.on_accept is not None and isinstance(outcome, OutboundMessage):
                    await item.on_accept(tx, outcome)
            return outcomes

        return await self._store.transact(work)
