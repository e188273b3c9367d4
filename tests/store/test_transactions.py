"""Transactions over both databases: whole or not at all, and never a second time once the first may have been committed."""

from typing import Any
from uuid import UUID

import asyncpg
import pytest
from asyncpg.transaction import Transaction as AsyncpgTransaction

from roost.core.ids import id_text, position_of
from roost.store.errors import StoreUnavailable
from roost.store.transaction import Transaction
from support.house import House, Tenant

ON_POSTGRES = pytest.mark.parametrize("database", ["postgres"], indirect=True)
_BLOCK = "INSERT INTO blocked_senders (org_id, sender, number, id, created_at) VALUES ($1, $2, '', $3, 0)"


def blocked(house: House, tenant: Tenant) -> list[str]:
    sql = "SELECT sender FROM blocked_senders WHERE org_id = $1 ORDER BY sender"
    return [row[0] for row in house.wait(house.store.fetch(sql, UUID(tenant.org.org_id)))]


def last_position(house: House, tenant: Tenant) -> int:
    sql = "SELECT last_us FROM positions WHERE org_id = $1"
    return int(house.wait(house.store.fetch(sql, UUID(tenant.org.org_id)))[0][0])


async def block(tx: Transaction, tenant: Tenant, sender: str) -> int:
    """One write at the next position."""
    position = await tx.position(tenant.org.org_id)
    await tx.fetch(_BLOCK, UUID(tenant.org.org_id), sender, UUID(tx.new_id(position)))
    return position


def test_what_is_raised_undoes_all_of_it(house: House) -> None:
    tenant = house.tenant()

    async def work(tx: Transaction) -> None:
        await block(tx, tenant, "+15550000001")
        raise LookupError

    before = last_position(house, tenant)
    with pytest.raises(LookupError):
        house.wait(house.store.transact(work))
    assert (blocked(house, tenant), last_position(house, tenant)) == ([], before)


def test_positions_are_taken_one_after_another_and_kept(house: House) -> None:
    tenant = house.tenant()

    async def work(tx: Transaction) -> list[int]:
        return [await block(tx, tenant, f"+1555000000{index}") for index in range(3)]

    taken = house.wait(house.store.transact(work))
    assert taken == sorted(set(taken))
    assert last_position(house, tenant) == taken[-1]


def test_a_counter_that_is_locked_again_goes_on_from_where_it_is(house: House) -> None:
    tenant = house.tenant()
    house.clock.frozen_us = house.clock()

    async def work(tx: Transaction) -> list[int]:
        first = await tx.position(tenant.org.org_id)
        await tx.lock(tenant.org.org_id)
        return [first, await tx.position(tenant.org.org_id)]

    first, second = house.wait(house.store.transact(work))
    assert first < second == last_position(house, tenant)


def test_an_opt_out_and_the_text_that_answers_it_have_positions_of_their_own(house: House) -> None:
    """Also while the clock stands still."""
    tenant = house.tenant(carrier="loopback")
    house.clock.frozen_us = house.clock()
    stop = {"id": "stop", "from": "+15554443333", "to": tenant.number.number, "text": "STOP"}
    assert house.deliver(tenant, stop).status_code == 200
    tables = ("inbound_messages", "events", "outbound_messages")
    ids = [row[0] for table in tables for row in house.wait(house.store.fetch(f"SELECT id FROM {table}"))]
    assert len(ids) == 3
    assert sorted(map(position_of, map(id_text, ids)))[-1] == last_position(house, tenant)
    assert len(set(map(position_of, map(id_text, ids)))) == 3


def test_joined_answers_for_each_wanted_row_and_many_writes_each(house: House) -> None:
    tenant, other = house.tenant(), house.tenant()

    async def work(tx: Transaction) -> list[tuple[Any, ...]]:
        rows = [
            (UUID(each.org.org_id), f"+1555000{n:04}", UUID(tx.new_id())) for n in range(3) for each in (tenant, other)
        ]
        await tx.many(_BLOCK, rows)
        sql = (
            "SELECT w.org_id, w.theirs, b.id FROM wanted w "
            "LEFT JOIN blocked_senders b ON b.org_id = w.org_id AND b.sender = w.theirs"
        )
        wanted = [(row[0], row[1]) for row in rows] + [(UUID(tenant.org.org_id), "+15559999999")]
        found = await tx.joined(sql, "org_id uuid, theirs text", wanted)
        expected = {(str(org_id), sender): str(entry) for org_id, sender, entry in rows}
        assert await tx.joined(sql, "org_id uuid, theirs text", []) == []
        return [
            (id_text(org_id), sender, entry is not None and id_text(entry) == expected[id_text(org_id), sender])
            for org_id, sender, entry in found
        ]

    answers = house.wait(house.store.transact(work))
    assert len(answers) == 7
    assert [sender for _, sender, is_right in answers if not is_right] == ["+15559999999"]


@ON_POSTGRES
def test_a_connection_that_breaks_before_the_commit_costs_nothing(house: House) -> None:
    tenant, tries = house.tenant(), []

    async def work(tx: Transaction) -> None:
        tries.append(await block(tx, tenant, "+15550000001"))
        if len(tries) == 1:
            await tx.fetch("SELECT pg_terminate_backend(pg_backend_pid())")

    house.wait(house.store.transact(work))
    assert (len(tries), blocked(house, tenant)) == (2, ["+15550000001"])


@ON_POSTGRES
def test_a_connection_that_breaks_at_the_commit_is_not_tried_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it was committed is not known then: a second try could send a text twice."""
    tenant, tries, commit = house.tenant(), [], AsyncpgTransaction.commit

    async def work(tx: Transaction) -> None:
        tries.append(await block(tx, tenant, f"+1555000000{len(tries)}"))

    async def commits_and_breaks(self: AsyncpgTransaction) -> None:
        await commit(self)
        raise asyncpg.ConnectionDoesNotExistError("the answer to COMMIT never came")

    monkeypatch.setattr(AsyncpgTransaction, "commit", commits_and_breaks)
    with pytest.raises(StoreUnavailable):
        house.wait(house.store.transact(work))
    monkeypatch.undo()
    assert (len(tries), blocked(house, tenant)) == (1, ["+15550000000"])
