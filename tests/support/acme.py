"""A carrier that does not exist, in its shortest whole form: `docs/adding-a-carrier.md` followed to the letter."""

from collections.abc import Sequence

from roost.carriers.contract import (
    BASIC,
    Accepted,
    Field,
    Finding,
    IntakeRequest,
    LastLook,
    OutgoingText,
    verify_basic,
)
from roost.carriers.fields import events_of, instant, object_of, text, texts
from roost.carriers.outside import Outside
from roost.carriers.refusals import accepted_id, fields_of, refusal
from roost.core.account import CarrierAccount
from roost.core.message import CarrierEvent, InboundEvent, ReceiptEvent, UnknownEvent

NAME = "acme"
FIELDS = (*BASIC, Field("api_token", "the API token", "send"), Field("api_url", "where its API is"))
MENU = "Settings: Webhook"
METHODS = frozenset({"POST"})
EMPTY_ANSWER = False
STATUSES = {"GONE": "sent", "THERE": "delivered", "LOST": "failed"}
OPTED_OUT_CODES = frozenset({"STOPPED"})

verify = verify_basic


def parse(request: IntakeRequest) -> list[CarrierEvent]:
    return events_of(request.body, _event)


def _event(raw: bytes) -> CarrierEvent:
    try:
        event = object_of(raw)
    except ValueError:
        return UnknownEvent("not_json", raw)
    if event.get("kind") == "text":
        return InboundEvent(
            carrier_message_id=text(event.get("id")),
            from_number=text(event.get("from")),
            to_numbers=texts(event.get("to")),
            body=text(event.get("words")),
            raw=raw,
            media=texts(event.get("pictures")),
            carrier_received_at=instant(event.get("at")),
        )
    if event.get("kind") == "status" and event.get("word") in STATUSES:
        code = text(event.get("code"))
        return ReceiptEvent(
            carrier_message_id=text(event.get("id")),
            recipient=text(event.get("to")),
            event=STATUSES[event["word"]],
            raw=raw,
            error_code=code or None,
            tag=text(event.get("reference")) or None,
            opted_out=code in OPTED_OUT_CODES,
        )
    return UnknownEvent("unknown_event", raw)


def can_send(account: CarrierAccount) -> bool:
    return bool(account.newest("api_token"))


def answers_opt_outs(number: str, account: CarrierAccount) -> bool:
    return False


def media_auth(url: str, account: CarrierAccount) -> tuple[str, str] | None:
    return None


async def send(text: OutgoingText, account: CarrierAccount, outside: Outside, last_look: LastLook) -> Accepted:
    answer = await outside.request(
        "POST",
        f"{account.newest('api_url')}/send",
        headers={"Authorization": f"Bearer {account.newest('api_token')}"},
        last_look=last_look,
        json={"to": text.to_number, "from": text.from_number, "words": text.body, "reference": text.message_id},
    )
    if answer.status != 202:
        raise refusal(answer)
    return Accepted(accepted_id(fields_of(answer).get("id")))


async def look_up(text: OutgoingText, sent_at: int, account: CarrierAccount, outside: Outside) -> frozenset[str]:
    return frozenset()


backfill = None


async def check(account: CarrierAccount, numbers: Sequence[str], webhook_url: str, outside: Outside) -> list[Finding]:
    return [Finding(can_send(account), "it has a token" if can_send(account) else "it has no token")]
