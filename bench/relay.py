"""A bare server that forwards each POST and answers when that is answered, in a process of its own: `python -m bench.relay`.

It is served as Roost is, and posts as Roost does; nothing is verified, stored, signed or looked up. It answers
`{"port": N}`, where the posts are to go, with the port that it listens on.
"""

import asyncio
import socket
import threading
from typing import Any

import aiohttp
import uvicorn
import uvloop

from bench.worker import answer_questions
from roost.server import uvicorn_config


class Relay:
    """The application. `url` is where the posts go."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        async with self._session.post(self._url, data=body, headers={"Content-Type": "application/json"}) as answer:
            await answer.read()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"{}"})


def main() -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)

    def serve(port: int) -> None:
        async def run() -> None:
            server = uvicorn.Server(uvicorn_config(Relay(f"http://127.0.0.1:{port}/hook")))
            await server._serve(sockets=[listener])  # without the signals, which are the main thread's

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run())

    def answer(question: dict[str, Any]) -> dict[str, Any]:
        threading.Thread(target=serve, args=(question["port"],), daemon=True).start()
        return {"port": listener.getsockname()[1]}

    answer_questions(answer)


if __name__ == "__main__":
    main()
