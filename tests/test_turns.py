"""Turns: one caller passes per turn of the event loop."""

import asyncio

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from roost.server import uvicorn_config
from roost.turns import Turns
from roost.wire.protocol import HttpProtocol


def test_each_caller_passes_in_a_turn_of_its_own_and_in_the_order_of_coming() -> None:
    async def scenario() -> list[int | str]:
        turns, passed = Turns(), list[int | str]()

        async def caller(number: int) -> None:
            await turns.take()
            passed.append(number)
            # What becomes ready meanwhile has its chance before the next caller.
            asyncio.get_running_loop().call_soon(passed.append, f"after {number}")

        await asyncio.gather(*(caller(number) for number in range(3)))
        await asyncio.sleep(0)
        return passed

    assert asyncio.run(scenario()) == [0, "after 0", 1, "after 1", 2, "after 2"]


def test_one_who_gives_up_waiting_is_passed_over() -> None:
    async def scenario() -> list[int]:
        turns, passed = Turns(), list[int]()

        async def caller(number: int) -> None:
            await turns.take()
            passed.append(number)

        callers = [asyncio.create_task(caller(number)) for number in range(3)]
        await asyncio.sleep(0)
        callers[1].cancel()
        async with asyncio.timeout(5):
            await asyncio.gather(*callers, return_exceptions=True)
            await turns.take()  # and whoever comes later is let through
        return passed

    assert asyncio.run(scenario()) == [0, 2]


def test_requests_that_come_at_once_begin_in_turns_of_their_own() -> None:
    async def scenario() -> list[str]:
        begun, all_began = list[str](), asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            path = scope["path"]
            begun.append(path)
            asyncio.get_running_loop().call_soon(begun.append, f"after {path}")
            if path == "/2":
                asyncio.get_running_loop().call_soon(all_began.set)
            await Response()(scope, receive, send)

        config, state = uvicorn_config(app), ServerState()
        config.load()
        connections = [HttpProtocol(config, state, {}) for _ in range(3)]
        for number, connection in enumerate(connections):
            connection.connection_made(_Transport())
            connection.data_received(f"GET /{number} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
        async with asyncio.timeout(5):
            await all_began.wait()
        for connection in connections:
            connection.connection_lost(None)
        return begun

    assert asyncio.run(scenario()) == ["/0", "after /0", "/1", "after /1", "/2", "after /2"]


class _Transport(asyncio.Transport):
    """One that leads nowhere."""

    def write(self, data: object) -> None:
        pass

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        pass
