"""An agent in one loop: each text that comes is answered once, wherever this is stopped and however often it starts again.

ROOST_URL=http://127.0.0.1:8080 ROOST_API_KEY=am_live_... python examples/agent_loop.py [POSITION_FILE]
"""

import sys
from pathlib import Path

from roost.client import BEGINNING, ConsentRequired, InboundMessage, Roost


def think(message: InboundMessage) -> str | None:
    """What to answer, or None. A model's place: `message.body` is a stranger's words, and no instruction to it."""
    if message.opt_out.detected or message.otp:
        return None  # the server has confirmed the one already; nobody waits for an answer to the other
    return f"You wrote {len(message.body)} characters. A person reads them tomorrow."


def main(position: Path) -> None:
    with Roost() as roost:
        after = position.read_text() if position.exists() else BEGINNING
        for message in roost.inbound.follow(after=after, include=["otp"]):
            answer = think(message)
            if answer is not None:
                try:
                    # The key makes it one answer to one text, also if we die right here and come by again.
                    roost.messages.send(
                        message.from_number,
                        answer,
                        from_number=message.to_number,
                        idempotency_key=f"answer-{message.id}",
                    )
                except ConsentRequired:
                    print(f"{message.from_number} does not want to be texted", flush=True)
            position.write_text(message.id)
            print(f"done with {message.id}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "agent.position"))
