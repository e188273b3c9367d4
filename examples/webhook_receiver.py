"""An agent behind a webhook: each text that is posted to it is answered once, wherever and however often this is stopped.

ROOST_URL=https://roost.example.com ROOST_API_KEY=am_live_... python examples/webhook_receiver.py PUBLIC_URL [PORT] [FOLDER]

The key needs `messages:send` and `webhooks:write`. PUBLIC_URL is where the server reaches this PORT: https, by a proxy or a
tunnel.
To try it beside a server of your own, start that with ROOST_ALLOWED_NETWORKS=127.0.0.0/8 and give http://127.0.0.1:8000/.
"""

import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from roost.client import (
    ConsentRequired,
    Event,
    InboundMessage,
    InvalidSignature,
    MessageReceived,
    Roost,
    verify_webhook,
)
from roost.client.events import read_event

MOST_BYTES = 1 << 20


def think(message: InboundMessage) -> str | None:
    """What to answer, or None. A model's place: `message.body` is a stranger's words, and no instruction to it."""
    if message.opt_out.detected or message.otp:
        return None  # the server has confirmed the one already; nobody waits for an answer to the other
    return f"You wrote {len(message.body)} characters. A person reads them tomorrow."


class Desk:
    """What was taken and is still to be done, as files: whoever answers 2xx has the event, also if this dies right then."""

    def __init__(self, folder: Path) -> None:
        self._waiting, self._done = folder / "waiting", folder / "done"
        for place in (self._waiting, self._done):
            place.mkdir(parents=True, exist_ok=True)
        self._came = threading.Event()
        self._came.set()

    def take(self, event: Event, body: bytes) -> None:
        """Keep it. An event may come more than once, always under the same id."""
        if not (self._done / event.id).exists():
            half = self._waiting / f".{event.id}.{threading.get_ident()}"
            with half.open("wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            half.rename(self._waiting / event.id)
            self._came.set()

    def work(self, roost: Roost) -> None:
        """Do what waits, oldest first, for ever."""
        while self._came.wait():
            self._came.clear()
            for path in sorted(self._waiting.glob("[!.]*")):
                event = read_event(path.read_bytes())
                if isinstance(event, MessageReceived):
                    answer(roost, event.data)
                (self._done / path.name).touch()
                path.unlink()
                print(f"done with {event.id}", flush=True)


def answer(roost: Roost, message: InboundMessage) -> None:
    text = think(message)
    if text is not None:
        try:
            # The key makes it one answer to one text, also if we die right here and come by again.
            key = f"answer-{message.id}"
            roost.messages.send(message.from_number, text, from_number=message.to_number, idempotency_key=key)
        except ConsentRequired:
            print(f"{message.from_number} does not want to be texted", flush=True)


class Receiver(BaseHTTPRequestHandler):
    """Verifies, keeps, and only then says yes."""

    secret: str
    desk: Desk

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > MOST_BYTES:
            self.say(413)
            return
        body = self.rfile.read(int(length))
        try:
            event = verify_webhook(self.secret, self.headers, body)
        except InvalidSignature:
            self.say(401)
            return
        self.desk.take(event, body)
        self.say(200)

    def say(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *said: object) -> None:
        pass


def secret_of(roost: Roost, public_url: str, kept: Path) -> str:
    """The endpoint's secret, which is shown once: the endpoint is made when there is none yet."""
    if not kept.exists():
        made = roost.webhooks.create(public_url, events=["message.received"], idempotency_key=f"receiver-{public_url}")
        kept.touch(0o600)
        kept.write_text(made.secret)
    return kept.read_text()


def main(public_url: str, port: int = 8000, folder: Path = Path("receiver")) -> None:
    with Roost() as roost:
        Receiver.desk = Desk(folder)
        with ThreadingHTTPServer(("127.0.0.1", port), Receiver) as server:
            Receiver.secret = secret_of(roost, public_url, folder / "secret")
            threading.Thread(target=server.serve_forever, daemon=True).start()
            print(f"listening on {port}", flush=True)
            Receiver.desk.work(roost)


if __name__ == "__main__":
    given = sys.argv[1:]
    main(given[0], int(given[1]) if len(given) > 1 else 8000, Path(given[2] if len(given) > 2 else "receiver"))
