"""Dialect B's notifications: what an agent was told of its requests."""

from collections.abc import Sequence
from typing import Any, Literal
from urllib.parse import parse_qs

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from roost.api.answers import oneshot_refusals
from roost.api.auth import Authenticator
from roost.api.http import json_response
from roost.api.oneshot import limit_of
from roost.api.oneshot_sms import invalid_request
from roost.api.routes import SECURITY_AGENT, Answer, Parameter, Route
from roost.core.ids import parse_uuid
from roost.core.times import rfc3339
from roost.errors import Refusal
from roost.store.base import Store
from roost.store.notifications import Notification, NotificationType, list_notifications, mark_all_read, mark_read


class NotificationBody(msgspec.Struct, rename="camel"):
    """`metadata` names the request and counts its recipients."""

    id: str
    agent_id: str
    type: NotificationType
    title: str
    body: str
    metadata: dict[str, Any]
    read: bool
    created_at: str


class NotificationList(msgspec.Struct):
    """`count` is the number of notifications in this answer."""

    notifications: list[NotificationBody]
    count: int


class Done(msgspec.Struct):
    success: Literal[True] = True


class Notifications:
    """Handlers over one store."""

    def __init__(self, store: Store, authenticator: Authenticator) -> None:
        self._store = store
        self._authenticator = authenticator

    async def list(self, request: Request) -> Response:
        agent = await self._authenticator.agent(request, "read")
        values = parse_qs(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
        limit, unread = limit_of(values), _unread(values)
        found = await list_notifications(self._store, agent.org_id, agent.id, limit, unread=unread)
        return json_response(NotificationList([_body(each) for each in found], len(found)))

    async def read(self, request: Request) -> Response:
        agent = await self._authenticator.agent(request, "write")
        notification_id = parse_uuid(request.path_params["id"])
        if notification_id is None or not await mark_read(self._store, agent.org_id, agent.id, notification_id):
            raise Refusal(404, "not_found", "Notification not found")
        return json_response(Done())

    async def read_all(self, request: Request) -> Response:
        agent = await self._authenticator.agent(request, "write")
        await mark_all_read(self._store, agent.org_id, agent.id)
        return json_response(Done())

    def routes(self) -> Sequence[Route]:
        """The routes, as documented."""
        path = "/v1/tools/notifications"
        return (
            Route(
                "GET", path, self.list, "Dialect B: OneShot", "List notifications",
                "Newest first: `sms_completed` when the last message of a request was handed to the carrier or failed, "
                "`job_failed` when all of them failed.",
                [Answer(200, "The notifications", NotificationList), *oneshot_refusals(400)],
                _LIST_PARAMETERS, SECURITY_AGENT,
            ),
            Route(
                "PATCH", f"{path}/{{id}}/read", self.read, "Dialect B: OneShot", "Mark a notification as read",
                "Again changes nothing.",
                [Answer(200, "It is read", Done), *oneshot_refusals(404)],
                [Parameter("id", "path", {"type": "string"}, "The notification's id, a UUID.")], SECURITY_AGENT,
            ),
            Route(
                "PATCH", f"{path}/read-all", self.read_all, "Dialect B: OneShot", "Mark all notifications as read",
                "Those that the agent has until now.",
                [Answer(200, "They are read", Done), *oneshot_refusals()], (), SECURITY_AGENT,
            ),
        )  # fmt: skip


_LIST_PARAMETERS = (
    Parameter("unread", "query", {"type": "string", "default": "false"}, "`true`: only those that are not read."),
    Parameter(
        "limit",
        "query",
        {"type": "integer", "minimum": 1, "default": 50},
        "At most so many; more than 100 count as 100.",
    ),
)


def _unread(values: dict[str, list[str]]) -> bool:
    word = values["unread"][-1] if "unread" in values else "false"
    if word not in ("true", "false"):
        raise invalid_request("unread must be true or false.")
    return word == "true"


def _body(notification: Notification) -> NotificationBody:
    news = notification.news
    return NotificationBody(
        notification.id,
        notification.agent_id,
        news.type,
        news.title,
        news.body,
        dict(news.metadata),
        notification.is_read,
        rfc3339(notification.created_at),
    )
