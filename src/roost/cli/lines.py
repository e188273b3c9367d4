"""Texts and events as lines for a person. What strangers wrote must not steer the terminal, nor look like our own words."""

from datetime import datetime
from unicodedata import category

from roost.client.events import ConsentChanged, Event, MessageReceived, MessageStatus
from roost.client.models import InboundMessage, OutboundMessage

# What is not shown but does something: control characters (line ends and escape sequences among them), what turns the
# direction of writing, hidden tags, private characters. Joiners stay: Persian and families of emoji need them.
_STEERING = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
_JOINERS = "\u200c\u200d"


def plain(text: str) -> str:
    """In one line, with each character that would steer a terminal replaced."""
    return "".join(map(_plain, text))


def _plain(character: str) -> str:
    if character in "\t\n\r":
        return " "
    steers = category(character) in _STEERING and character not in _JOINERS
    return "\N{REPLACEMENT CHARACTER}" if steers else character


def of_inbound(message: InboundMessage) -> str:
    """A text that came; a code in it, if it was asked for, first."""
    code = f"[{plain(message.otp.code)}] " if message.otp else ""
    media = "".join(f" <{plain(url)}>" for url in message.media_urls)
    return _line(message.received_at, message.from_number, message.to_number, f"{code}{plain(message.body)}{media}")


def of_outbound(message: OutboundMessage) -> str:
    """A text that is sent, and how far it is."""
    said = f"{message.status}: {plain(message.text)}" if message.text else message.status
    return _line(
        message.delivered_at or message.sent_at or message.created_at, message.from_number, message.to_number, said
    )


def of_event(event: Event) -> str:
    """An event of the stream."""
    match event:
        case MessageReceived(data=message):
            return of_inbound(message)
        case MessageStatus(data=message):
            return of_outbound(message)
        case ConsentChanged(created_at=at, data=change):
            keyword = f" ({plain(change.keyword)})" if change.keyword else ""
            return f"{_clock(at)}  {plain(change.contact_number)}  {change.event}{keyword}"
        case _:
            return f"{_clock(event.created_at)}  {plain(event.type)}"


def _line(at: datetime, sender: str, recipient: str, said: str) -> str:
    return f"{_clock(at)}  {plain(sender)} > {plain(recipient)}  {said}"


def _clock(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S")
