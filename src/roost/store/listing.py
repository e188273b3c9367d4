"""The list: one indexed range scan over (org_id, id), or over an index that has one filter between the two."""

import json
from collections.abc import Collection
from functools import lru_cache
from typing import Any
from uuid import UUID

from roost.core.ids import id_text, position_in, text_of
from roost.core.inbox import InboxQuery
from roost.core.message import MAX_SHORT, SHORT_REMEMBERED, InboundMessage

_COLUMNS = (
    "id, org_id, phone_number_id, agent_id, from_number, to_number, body, channel, media, recipients, segment_count, "
    "opt_out_keyword, suspected, carrier_message_id, carrier_received_at, thread_id, related_outbound_id, blocked"
)
_BODY, _MEDIA, _RECIPIENTS = map(_COLUMNS.split(", ").index, ("body", "media", "recipients"))

# Pollers ask with the same ids again and again.
_bound_id = lru_cache(maxsize=4096)(UUID)

#: Which index serves a list, the most selective filter first: (the filters that must be there, the index).
_INDEXES = (
    ({"agent_id", "from_number"}, "inbound_by_agent_from"),
    ({"agent_id"}, "inbound_by_agent"),
    ({"from_number"}, "inbound_by_from"),
    ({"phone_number_id"}, "inbound_by_number"),
    ({"to_number"}, "inbound_by_to"),
    ({"opt_out"}, "inbound_by_opt_out"),
    ({"channel"}, "inbound_by_channel"),
)


def list_statement(query: InboxQuery, *, name_index: bool) -> tuple[str, list[Any]]:
    """SQL and parameters for one row more than the limit, which tells whether there are more.

    `name_index` tells the database which index to use: SQLite, which has no statistics of its own accord, would take the
    primary key for its bounds on both sides, and read a million rows for a sender that nobody knows.
    """
    filters: list[tuple[str, Any]] = []
    if query.agent_id is not None:
        filters.append(("agent_id", _bound_id(query.agent_id)))
    if query.from_number is not None:
        filters.append(("from_number", query.from_number))
    if query.to_number is not None:
        filters.append(("to_number", query.to_number))
    if query.phone_number_id is not None:
        filters.append(("phone_number_id", _bound_id(query.phone_number_id)))
    if query.channel is not None:
        filters.append(("channel", query.channel))
    if query.opt_out is not None:
        filters.append(("opt_out", query.opt_out))
    sql = _list_sql(tuple(column for column, _ in filters), query.ascending, name_index)
    bounds = [_bound_id(query.org_id), _bound_id(query.above), _bound_id(query.below), query.limit + 1]
    return sql, bounds + [value for _, value in filters]


@lru_cache(maxsize=256)
def _list_sql(columns: tuple[str, ...], ascending: bool, name_index: bool) -> str:
    narrowed = "".join(f" AND {column} = ${number}" for number, column in enumerate(columns, start=5))
    index = index_of(columns)
    hint = f"INDEXED BY {index} " if name_index and index else ""
    order = "ASC" if ascending else "DESC"
    return (
        f"SELECT {_COLUMNS} FROM inbound_messages {hint}"  # noqa: S608 - the names are ours
        f"WHERE org_id = $1 AND id > $2 AND id < $3{narrowed} ORDER BY id {order} LIMIT $4"
    )


def index_of(columns: Collection[str]) -> str | None:
    """The index that serves a scan by these columns; None: the primary key does."""
    return next((name for needed, name in _INDEXES if needed <= set(columns)), None)


GET_SQL = f"SELECT {_COLUMNS} FROM inbound_messages WHERE org_id = $1 AND id = $2"  # noqa: S608 - the columns are ours
#: The same for several: `wanted` has their keys.
SOME_COLUMNS = "wanted_org uuid, wanted_id uuid"
SOME_SQL = f"SELECT {_COLUMNS} FROM wanted JOIN inbound_messages ON org_id = wanted_org AND id = wanted_id"  # noqa: S608


# Organizations, numbers and agents are few, and every row names three of them.
_known_id = lru_cache(maxsize=65536)(id_text)


def message_of(row: tuple[Any, ...]) -> InboundMessage:
    """A row of `_COLUMNS`.

    Pollers get the same rows again and again, and finding one costs a fifth of converting it. It is found by all that it
    says, so that no change of it can be missed.
    """
    is_short = not (row[_MEDIA] or row[_RECIPIENTS]) and len(row[_BODY]) <= MAX_SHORT
    return _remembered(row) if is_short else _converted(row)


def _converted(row: tuple[Any, ...]) -> InboundMessage:
    (
        message_id, org_id, phone_number_id, agent_id, from_number, to_number, body, channel, media, recipients,
        segment_count, opt_out_keyword, suspected, carrier_message_id, carrier_received_at, thread_id, related_id, blocked,
    ) = row  # fmt: skip
    raw_id = message_id if type(message_id) is bytes else message_id.bytes
    return InboundMessage(
        text_of(raw_id),
        position_in(raw_id),
        _known_id(org_id),
        _known_id(phone_number_id),
        None if agent_id is None else _known_id(agent_id),
        from_number,
        to_number,
        body,
        channel,
        tuple(json.loads(media)) if media else (),
        tuple(json.loads(recipients)) if recipients else (),
        segment_count,
        opt_out_keyword,
        suspected == 1,
        carrier_message_id,
        carrier_received_at,
        None if thread_id is None else id_text(thread_id),
        None if related_id is None else id_text(related_id),
        blocked == 1,
    )


_remembered = lru_cache(maxsize=SHORT_REMEMBERED)(_converted)
