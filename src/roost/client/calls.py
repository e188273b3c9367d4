"""How a description becomes a method: the same one blocks on `Roost` and is awaited on `AsyncRoost`.

class Messages(Resource[D]):
    @call
    def get(self, message_id: str) -> Flow[OutboundMessage]: ...     # client.messages.get(id) -> OutboundMessage

    @each
    def list(self, ...) -> Walk[OutboundMessage]: ...                # for message in client.messages.list(): ...
"""

from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterator
from functools import wraps
from inspect import signature
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar, get_args, get_origin, overload

from roost.client.drivers import Awaiting, Blocking
from roost.client.flow import Emit, Flow, Walk

P = ParamSpec("P")
T = TypeVar("T")
D = TypeVar("D", bound=Blocking | Awaiting)


class Driven(Generic[D]):
    """What has calls."""

    def __init__(self, driver: D) -> None:
        self._driver: D = driver


class _Described:
    """A method of `Driven`, by its description."""

    def __init__(self, describe: Callable[..., Any]) -> None:
        self._describe = describe
        self.__doc__ = describe.__doc__
        self.__wrapped__ = describe

    def _bound(self, instance: Any, run: Callable[[Any], Any]) -> Callable[..., Any]:
        @wraps(self._describe)
        def method(*args: Any, **kwargs: Any) -> Any:
            return run(self._describe(instance, *args, **kwargs))

        shown = signature(self._describe)
        parameters, gives = [*shown.parameters.values()][1:], self._gives(*get_args(shown.return_annotation))
        method.__signature__ = shown.replace(parameters=parameters, return_annotation=gives)  # type: ignore[attr-defined]
        return method

    def _gives(self, steps: Any, sent: Any, result: Any) -> Any:
        """What the caller sees of what the description gives, whichever client it is."""
        return result


class call(_Described, Generic[P, T]):  # noqa: N801 - it stands as a decorator
    """A method with one result."""

    def __init__(self, describe: Callable[Concatenate[Any, P], Flow[T]]) -> None:
        super().__init__(describe)

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: Driven[Blocking], owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, instance: Driven[Awaiting], owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, instance: Any, owner: type) -> Any:
        return self if instance is None else self._bound(instance, instance._driver.run)


class each(_Described, Generic[P, T]):  # noqa: N801
    """A method that gives one item after the other."""

    def __init__(self, describe: Callable[Concatenate[Any, P], Walk[T]]) -> None:
        super().__init__(describe)

    def _gives(self, steps: Any, sent: Any, result: Any) -> Any:
        [item] = [get_args(step)[0] for step in get_args(steps) if get_origin(step) is Emit]
        return Iterator[item]  # type: ignore[valid-type]

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: Driven[Blocking], owner: type) -> Callable[P, Generator[T, None, None]]: ...
    @overload
    def __get__(self, instance: Driven[Awaiting], owner: type) -> Callable[P, AsyncGenerator[T, None]]: ...
    def __get__(self, instance: Any, owner: type) -> Any:
        return self if instance is None else self._bound(instance, instance._driver.each)
