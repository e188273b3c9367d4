"""Accepting what is to be sent: the consent check, the message, its thread and its outbox row in one transaction."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from roost.core.consent import Standing, may_text
from roost.core.ids import id_text, position_of
from roost.core.media import uploads_in
from roost.core.organization import Settings
from roost.core.outbound import THREAD_US, OutboundMessage, Send
from roost.core.quiet_hours import quiet_until
from roost.core.segments import segments
from roost.store.consent import record_implied
from roost.store.events import never_left, tell_steps
from roost.store.sql import load
from roost.store.transaction import Reader, Row, Transaction
from roost.store.uploads import attach_uploads, uploaded

_SQL = load("outbound.sql")
_WANTED = "nth int, org_id uuid, ours text, theirs text"


class SendRefused(Exception):
    """A send that was not accepted; nothing was stored. `reason` is one of `REASONS`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


#: Why a send is refused.
REASONS = ("not_owned", "unknown_media", "consent_required", "quiet_hours")


class Found(NamedTuple):
    """What a send is decided by: a row of `before_send`, in Python's form."""

    phone_number_id: str | None
    carrier_account_id: str | None
    agent_id: str | None
    standing: Standing
    last_outbound_id: str | None
    thread_id: str | None
    last_reply_id: str | None


async def accept(tx: Transaction, sends: Sequence[tuple[Send, Settings]]) -> list[OutboundMessage | SendRefused]:
    """What became of each, in order. Locks the organizations' counters.

    A message joins the thread of the pair's last one while that lives, and is queued for the worker; what the
    organization's settings hold or defer is queued so.
    """
    await tx.lock(*(send.org_id for send, _ in sends))
    found = await find(tx, [send for send, _ in sends])
    uploads = await uploaded(tx, [each for send, _ in sends if send.media for each in _uploads_of(send)])
    threads: dict[tuple[str, str, str], tuple[str, int]] = {}
    results: list[OutboundMessage | SendRefused] = []
    messages: list[Row] = []
    outbox: list[Row] = []
    for nth, (send, settings) in enumerate(sends):
        try:
            if send.media and not uploads.keys() >= set(_uploads_of(send)):
                raise SendRefused("unknown_media")
            message, state, due_at = await _accept_one(tx, send, settings, found[nth], threads)
        except SendRefused as refused:
            results.append(refused)
            continue
        results.append(message)
        messages.append(message_row(message))
        outbox.append(_outbox_row(message, send, state, due_at))
    await tx.many(_SQL["insert_outbound"], messages)
    await tx.many(_SQL["insert_outbox"], outbox)
    if uploads:
        await attach_uploads(tx, [each for each in results if isinstance(each, OutboundMessage)], uploads)
    return results


def _uploads_of(send: Send) -> list[tuple[str, str]]:
    """(organization, upload) of the media that were uploaded."""
    return [(send.org_id, upload_id) for upload_id in uploads_in(send.media).values()]


async def find(reader: Reader, sends: Sequence[Send]) -> list[Found]:
    """What each is decided by, in order."""
    wanted = [(nth, UUID(send.org_id), send.from_number, send.to_number) for nth, send in enumerate(sends)]
    found = {row[0]: _found(row) for row in await reader.joined(_SQL["before_send"], _WANTED, wanted)}
    return [found[nth] for nth in range(len(sends))]


def decide(send: Send, settings: Settings, found: Found, now: int) -> tuple[str, int]:
    """In which state it is put into the outbox, and when it is due. Raises SendRefused."""
    if found.phone_number_id is None or found.carrier_account_id is None:
        raise SendRefused("not_owned")
    if send.agent_id is not None and found.agent_id != send.agent_id:
        raise SendRefused("not_owned")
    if send.purpose != "message":
        return "queued", now
    if not may_text(found.standing, settings):
        raise SendRefused("consent_required")
    quiet_end = quiet_until(settings.quiet_hours, send.to_number, now)
    if quiet_end is not None and settings.quiet_hours.mode == "reject":
        raise SendRefused("quiet_hours")
    if settings.suspected == "hold" and found.standing.is_suspected:
        return "held", quiet_end or now
    return ("queued", now) if quiet_end is None else ("waiting", quiet_end)


async def _accept_one(
    tx: Transaction, send: Send, settings: Settings, found: Found, threads: dict[tuple[str, str, str], tuple[str, int]]
) -> tuple[OutboundMessage, str, int]:
    state, due_at = decide(send, settings, found, tx.now())
    wrote_first_id = found.standing.wrote_first_id
    if send.purpose == "message" and found.standing.state != "opted_in" and wrote_first_id is not None:
        assert found.phone_number_id is not None
        await record_implied(tx, send.org_id, send.from_number, found.phone_number_id, send.to_number, wrote_first_id)
    position = tx.take(send.org_id)
    message_id = tx.new_id(position)
    pair = (send.org_id, send.from_number, send.to_number)
    thread_id, last_us = threads.get(pair) or _thread_of(found)
    if thread_id is None or position - last_us > THREAD_US:
        thread_id = message_id
    threads[pair] = (thread_id, position)
    return _message(send, found, message_id, position, thread_id), state, due_at


def _message(send: Send, found: Found, message_id: str, position: int, thread_id: str) -> OutboundMessage:
    assert found.phone_number_id is not None and found.carrier_account_id is not None
    return OutboundMessage(
        id=message_id,
        created_at=position,
        org_id=send.org_id,
        phone_number_id=found.phone_number_id,
        carrier_account_id=found.carrier_account_id,
        agent_id=send.agent_id or found.agent_id,
        request_id=send.request_id,
        from_number=send.from_number,
        to_number=send.to_number,
        body=send.body,
        channel="mms" if send.media else "sms",
        media=send.media,
        priority=send.priority,
        tag=send.tag,
        purpose=send.purpose,
        status="queued",
        error_code=None,
        error_description=None,
        segment_count=1 if send.media else segments(send.body).segment_count,
        carrier_message_id=None,
        sent_at=None,
        delivered_at=None,
        thread_id=thread_id,
    )


def message_row(message: OutboundMessage) -> Row:
    """The row of a message that was just accepted."""
    return (
        UUID(message.org_id),
        UUID(message.id),
        UUID(message.phone_number_id),
        UUID(message.carrier_account_id),
        UUID(message.agent_id) if message.agent_id else None,
        UUID(message.request_id) if message.request_id else None,
        message.from_number,
        message.to_number,
        message.body,
        message.channel,
        json.dumps(message.media) if message.media else None,
        message.priority,
        message.tag,
        message.purpose,
        message.status,
        message.error_code,
        message.error_description,
        message.segment_count,
        UUID(message.thread_id),
    )


def _outbox_row(message: OutboundMessage, send: Send, state: str, due_at: int) -> Row:
    rank = 0 if send.priority == "high" or send.purpose != "message" else 1
    ids = (UUID(message.org_id), UUID(message.id), UUID(message.phone_number_id))
    return (*ids, message.to_number, state, rank, due_at, send.expires_at, message.segment_count)


def _thread_of(found: Found) -> tuple[str | None, int]:
    """The pair's newest thread, and when its last message was."""
    ids = [message_id for message_id in (found.last_outbound_id, found.last_reply_id) if message_id is not None]
    return found.thread_id, max(map(position_of, ids), default=0)


def _found(row: Row) -> Found:
    (
        _, number_id, account_id, agent_id, state, told_at, opted_out_anywhere, wrote_id, suspected_id, outbound_id,
        thread_id, reply_id,
    ) = row  # fmt: skip
    standing = Standing(
        state,
        opted_out_anywhere=bool(opted_out_anywhere),
        wrote_first_id=_text(wrote_id),
        is_suspected=suspected_id is not None and position_of(id_text(suspected_id)) > (told_at or 0),
    )
    return Found(
        _text(number_id),
        _text(account_id),
        _text(agent_id),
        standing,
        _text(outbound_id),
        _text(thread_id),
        _text(reply_id),
    )


def _text(value: Any) -> str | None:
    return None if value is None else id_text(value)


async def cancel(tx: Transaction, org_id: str, message_id: str, code: str, description: str) -> bool:
    """Withdraw a message that nobody has begun to send; False when it is too late. Locks the organization's counter."""
    await tx.lock(org_id)
    key = (UUID(org_id), UUID(message_id))
    if not await tx.fetch(_SQL["withdraw_queued"], *key):
        return False
    cancelled = await tx.fetch(_SQL["cancel_outbound"], *key, code, description)
    await tell_steps(tx, dict.fromkeys([key] if cancelled else [], never_left(code, description)))
    return True
