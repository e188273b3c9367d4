"""The route table: one source of routing and of the OpenAPI document."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from roost.api.http import Handler

SECURITY_KEY: dict[str, list[str]] = {"api_key": []}
SECURITY_AGENT: tuple[dict[str, list[str]], ...] = (
    {"agent_id": [], "agent_proof": []},
    {"agent_id": [], "access_token": []},
    {"agent_id": []},
)


class Parameter(NamedTuple):
    """One parameter, as OpenAPI describes it."""

    name: str
    where: str
    schema: dict[str, Any]
    description: str
    required: bool = False
    """What is in the path always is."""


class Answer(NamedTuple):
    """One status a route can answer with. `body` is a msgspec type, a media type for what is no JSON, or None."""

    status: int
    description: str
    body: Any
    headers: tuple[str, ...] = ()
    events: tuple[type[msgspec.Struct], ...] = ()
    """Of a stream: what the data of its events may be."""


class Route(NamedTuple):
    """One route. `scope` is what an API key needs; the description may use Markdown.

    `body` is the msgspec type of the JSON that it takes; `takes_body` says that it takes any.
    """

    method: str
    path: str
    handler: Handler
    tag: str
    summary: str
    description: str
    answers: Sequence[Answer]
    parameters: Sequence[Parameter] = ()
    security: Sequence[dict[str, list[str]]] = ()
    scope: str | None = None
    takes_body: bool = False
    body: type[msgspec.Struct] | None = None
