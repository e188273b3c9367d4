"""Migration 0007: numbers that had URLs before anything was sent to them are told of what comes from then on."""

import asyncio
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from roost import config
from roost.core.ids import id_text, uuid7
from roost.core.webhooks import Target
from roost.server import now_us
from roost.store import migrations
from roost.store.base import Store
from roost.store.connect import make_store
from roost.store.webhook_queue import Lease as QueueLease
from roost.store.webhook_queue import active_endpoints, due_feeds, hand_out
from support.databases import Database

ORG, SILENT, BOTH, NONE = uuid4(), uuid4(), uuid4(), uuid4()
LAST_US = 1_795_000_000_000_000
NUMBER = (
    "INSERT INTO numbers (org_id, id, number, carrier_account_id, label, created_at, number_type, inbound_url, status_url) "
    "VALUES ($1, $2, $3, $1, '', 7, 'local', $4, $5)"
)
EVENT = "INSERT INTO events (org_id, id, type, subject_id, data) VALUES ($1, $2, 'message.status', $1, '{}')"


async def fill(store: Store) -> None:
    await store.open()
    for org_id in (ORG, SILENT):
        await store.write(
            ("INSERT INTO organizations (org_id, name, created_at) VALUES ($1, 'Acme', 1)", (org_id,)),
            ("INSERT INTO positions (org_id, last_us) VALUES ($1, $2)", (org_id, LAST_US)),
            (EVENT, (org_id, UUID(uuid7(LAST_US, 1)))),
        )
    await store.write(
        (NUMBER, (ORG, BOTH, "+15550001111", "https://a.example/in", "https://a.example/status")),
        (NUMBER, (ORG, NONE, "+15550002222", None, None)),
    )
    await store.close()


async def check(store: Store) -> None:
    await store.open()
    told = {each.target: each for each in await active_endpoints(store, [str(ORG), str(SILENT)])}
    assert {target: (each.url, each.events, each.since) for target, each in told.items()} == {
        Target(str(ORG), str(BOTH), "inbound_url"): ("https://a.example/in", {"message.received"}, LAST_US + 1),
        Target(str(ORG), str(BOTH), "status_url"): ("https://a.example/status", {"message.status"}, LAST_US + 1),
    }
    lease = QueueLease(uuid4(), 1_000_000)
    assert await due_feeds(store, lease) == [], "nothing of what was before"
    await store.write(("UPDATE positions SET last_us = $2 WHERE org_id = $1", (ORG, LAST_US + 1)))
    [feed] = await due_feeds(store, lease)
    assert (feed.org_id, feed.next_us) == (id_text(ORG), LAST_US + 1)
    [handed] = await hand_out(store, lease, [feed])
    assert handed.is_ours
    await store.close()


def test_numbers_urls_are_endpoints_from_then_on(
    new_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def store() -> Store:
        return make_store(config.load({}, data_dir=tmp_path, database_url=new_database.url), now_us)

    everything = migrations.available
    with monkeypatch.context() as before:
        before.setattr(migrations, "available", lambda kind: [each for each in everything(kind) if each.version < 7])
        asyncio.run(fill(store()))
    asyncio.run(check(store()))
