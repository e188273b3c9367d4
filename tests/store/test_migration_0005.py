"""Migration 0005: a database of the schema before it is brought up to date, and reads the same."""

import asyncio
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from roost import config
from roost.core.ids import id_text, uuid7
from roost.core.inbox import InboxQuery
from roost.server import now_us
from roost.store import migrations
from roost.store.base import Store
from roost.store.connect import make_store
from roost.store.directory import Directory
from support.databases import Database

PLAIN, CHOSEN, SHORT = uuid4(), uuid4(), uuid4()
SETTINGS = {
    PLAIN: None,
    CHOSEN: '{"consent_required": false, "quiet_hours": {"enabled": true}}',
    SHORT: '{"message_retention_days": 45}',
}
MESSAGE = (
    "INSERT INTO inbound_messages (org_id, id, phone_number_id, from_number, to_number, body, channel, segment_count, "
    "suspected, carrier_message_id, opt_out, carrier_account_id, raw) "
    "VALUES ($1, $2, $1, $3, '+15550001111', $4, 'sms', 1, $5, $6, $7, $1, $8)"
)
KEY = (
    "INSERT INTO message_keys (org_id, carrier_account_id, carrier_message_id, to_number, message_id) "
    "VALUES ($1, $1, $2, '+15550001111', $3)"
)
START_US = now_us() - 3600_000_000


def message_id(n: int) -> UUID:
    return UUID(uuid7(START_US + n, n))


async def fill(store: Store) -> None:
    """As Roost wrote them before: two contacts in turn; texts 6, 7 and 12 were perhaps opt-outs."""
    await store.open()
    for org_id, settings in SETTINGS.items():
        organization = "INSERT INTO organizations (org_id, name, created_at, settings) VALUES ($1, 'Acme', 1, $2)"
        await store.write((organization, (org_id, settings)))
        for n in range(20):
            contact = f"+1555444000{n % 2}"
            row = (org_id, message_id(n), contact, f"text {n}", n in (6, 7, 12), str(n), False, b"{}")
            await store.write((MESSAGE, row), (KEY, (org_id, str(n), message_id(n))))
    await store.close()


async def check(store: Store) -> None:
    await store.open()
    kept = {PLAIN: 90, CHOSEN: 90, SHORT: 45}
    for org_id, days in kept.items():
        page = await store.list_inbound(InboxQuery(str(org_id), 100))
        told = [(each.id, each.body, each.suspected) for each in reversed(page.messages)]
        assert told == [(str(message_id(n)), f"text {n}", n in (6, 7, 12)) for n in range(20)]
        settings = (await Directory(store).profile(str(org_id))).settings
        assert settings.message_retention_days == days, "nobody loses by an upgrade what was to be kept"
        assert (settings.consent_required, settings.quiet_hours.enabled) == (org_id != CHOSEN, org_id == CHOSEN)
        keys = await store.fetch("SELECT count(*) FROM message_keys WHERE org_id = $1", org_id)
        assert keys[0][0] == 20
        suspected = (
            "SELECT contact_number, message_id FROM suspected_opt_outs WHERE org_id = $1 ORDER BY contact_number"
        )
        assert [(contact, id_text(each)) for contact, each in await store.fetch(suspected, org_id)] == [
            ("+15554440000", str(message_id(12))),
            ("+15554440001", str(message_id(7))),
        ]
    fresh = await Directory(store).create_organization("New")
    assert (await Directory(store).profile(fresh.org_id)).settings.message_retention_days == 30
    await store.close()


def test_a_database_of_the_schema_before_is_migrated_and_reads_the_same(
    new_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def store() -> Store:
        return make_store(config.load({}, data_dir=tmp_path, database_url=new_database.url), now_us)

    everything = migrations.available
    with monkeypatch.context() as before:
        before.setattr(migrations, "available", lambda kind: [each for each in everything(kind) if each.version < 5])
        asyncio.run(fill(store()))
    asyncio.run(check(store()))
