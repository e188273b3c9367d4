"""Whole, realistic payloads of carriers, written from their documentation."""

from typing import Any


def bandwidth_inbound(
    message_id: str, to: str, *, text: str = "Hey, check this out!", sender: str = "+15554443333", **changes: Any
) -> dict[str, Any]:
    """One item of Bandwidth's inbound callback array; `changes` go into its `message`."""
    message = {
        "id": message_id,
        "time": "2026-04-26T12:01:00Z",
        "to": [to],
        "from": sender,
        "text": text,
        "applicationId": "93de2206-9669-4e07-948d-329f4b722ee2",
        "owner": to,
        "direction": "in",
        "segmentCount": 1,
        **changes,
    }
    return {
        "type": "message-received",
        "time": "2026-04-26T12:01:01Z",
        "description": "Incoming message received",
        "to": to,
        "message": message,
    }


def bandwidth_status(event: str, message_id: str, to: str, owner: str, **changes: Any) -> dict[str, Any]:
    """One item of Bandwidth's status callback array; `changes` go to its top level."""
    return {
        "type": event,
        "time": "2026-04-26T12:05:00.123Z",
        "description": "Message delivered to carrier.",
        "to": to,
        "message": {
            "id": message_id,
            "time": "2026-04-26T12:04:58Z",
            "to": [to],
            "from": owner,
            "text": "",
            "applicationId": "93de2206-9669-4e07-948d-329f4b722ee2",
            "owner": owner,
            "direction": "out",
            "segmentCount": 1,
            "tag": "order-7421",
        },
        **changes,
    }
