"""Notifications: what an agent is told, written in the transaction of what happened."""

import json
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple
from uuid import UUID

from roost.core.ids import id_text
from roost.store.base import Store
from roost.store.sql import load
from roost.store.transaction import Row, Transaction

_SQL = load("notifications.sql")

NotificationType = Literal["sms_completed", "job_failed"]


class News(NamedTuple):
    """What there is to tell. Never a message's words."""

    type: NotificationType
    title: str
    body: str
    metadata: Mapping[str, Any]


class Notification(NamedTuple):
    """A stored one. `created_at` is microseconds since 1970."""

    id: str
    agent_id: str
    news: News
    created_at: int
    is_read: bool


async def notify(tx: Transaction, org_id: str, agent_id: str, news: News, position: int) -> None:
    """Tell the agent, at a position of its organization."""
    ids = (UUID(org_id), UUID(tx.new_id(position)), UUID(agent_id))
    await tx.fetch(
        _SQL["add_notification"], *ids, news.type, news.title, news.body, json.dumps(news.metadata), position
    )


async def list_notifications(
    store: Store, org_id: str, agent_id: str, limit: int, *, unread: bool
) -> list[Notification]:
    """The agent's, newest first; `unread`: only those that it has not read."""
    sql = _SQL["unread_notifications" if unread else "notifications"]
    return [_notification(row) for row in await store.fetch(sql, UUID(org_id), UUID(agent_id), limit)]


async def mark_read(store: Store, org_id: str, agent_id: str, notification_id: str) -> bool:
    """False when the agent has no such notification."""
    ids = (UUID(org_id), UUID(agent_id), UUID(notification_id))
    return bool(await store.write((_SQL["read_notification"], (*ids, store.clock()))))


async def mark_all_read(store: Store, org_id: str, agent_id: str) -> None:
    """Whatever the agent was told until now."""
    await store.write((_SQL["read_notifications"], (UUID(org_id), UUID(agent_id), store.clock())))


def _notification(row: Row) -> Notification:
    notification_id, agent_id, kind, title, body, metadata, created_at, read_at = row
    news = News(kind, title, body, json.loads(metadata))
    return Notification(id_text(notification_id), id_text(agent_id), news, created_at, read_at is not None)
