"""What the suite that every carrier goes through needs to know of each: a file here is all that a new one takes.

A file has a `CASE`; its class says in the carrier's words what the base class asks for in ours.
"""

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, ClassVar, NamedTuple

from roost.core.account import CarrierAccount
from support.carrier_api import CarrierApi, Reply

CONTACT = "+15554443333"
DEFAULT_TIME = "as documented"


class Call(NamedTuple):
    """One call of a carrier on our intake."""

    body: bytes
    headers: Mapping[str, str]
    method: str = "POST"
    query: str = ""

    def at(self, url: str) -> str:
        """The URL that it goes to."""
        return f"{url}?{self.query}" if self.query else url


class CarrierCase:
    """One carrier, played. Payloads are whatever `call` takes; a test never looks into them."""

    NAME: ClassVar[str]
    PICTURES: ClassVar[bool] = True
    """Whether it delivers pictures; one that does not goes through what is about credentials, and has its own suite beside."""
    SECRETS: ClassVar[Mapping[str, Any]] = {}
    """Of an account that sends and receives. The suite's houses add `basic` (support.credentials.BASIC) by themselves."""
    RECEIVE_ONLY: ClassVar[Mapping[str, Any]] = {}
    """Of one that only receives."""
    ROTATED: ClassVar[Mapping[str, Any]] = {}
    """Of one whose credential was renewed: the old one, of SECRETS, is still good."""
    ANSWER: ClassVar[int] = 200
    SIGNS_BODY: ClassVar[bool] = True
    """Whether a changed body is refused: not with Basic credentials."""
    SIGNS_URL: ClassVar[bool] = False
    """Whether what is signed for one account's URL is refused at another's with the same secret."""
    RECEIVED_AT: ClassVar[str | None] = None
    """The time in `text`, as the API shows it; None where the carrier tells none."""
    STATUSES: ClassVar[Mapping[str, str]] = {}
    """Its word for what became of a message -> ours."""
    OPTED_OUT_STATUS: ClassVar[tuple[str, str] | None] = None
    """(word, error code) of a receipt that says that the contact told the carrier to stop."""
    UNKNOWN: ClassVar[Any] = None
    """A payload that is authentic and of a kind that we do not know."""
    OWN_MEDIA: ClassVar[tuple[str, ...]] = ()
    """Media that need the account's API credential; on other hosts none may get it."""
    FOREIGN_MEDIA: ClassVar[tuple[str, ...]] = ()
    """The carrier's look-alikes, beside those that the suite tries anyway."""

    API: ClassVar[type[CarrierApi] | None] = None
    """The server that plays the API; None: nothing is sent anywhere."""
    REFUSALS: ClassVar[Mapping[str, tuple[Reply, str]]] = {}
    """What is final: name -> (reply, the error code that the message gets)."""
    UNREADABLE: ClassVar[Mapping[str, bytes]] = {}
    """Bodies of answers that say yes, but not to what; the suite has some of its own."""
    OPTED_OUT: ClassVar[Reply | None] = None
    """The answer to a send that says that the contact told the carrier to stop."""
    LOOKS_UP: ClassVar[bool] = True
    """Whether it finds in the carrier's record what was perhaps sent."""

    def secrets(self, api: CarrierApi | None) -> dict[str, Any]:
        """SECRETS, pointed at the server that plays the API."""
        return {**self.SECRETS, **({"api_url": api.host_url} if api else {})}

    def house_options(self, api: CarrierApi | None) -> dict[str, Any]:
        """Settings of the house."""
        return {}

    def text(
        self,
        message_id: str,
        to: str,
        *,
        body: str | None = "Hey, check this out!",
        sender: str = CONTACT,
        media: tuple[str, ...] = (),
        time: Any = DEFAULT_TIME,
    ) -> Any:
        """A text as the carrier documents it; `body` None: it has none. `time` is ignored where it tells none."""
        raise NotImplementedError

    def group(self, message_id: str, to: str, recipients: tuple[str, ...]) -> Any | None:
        """A group text; None where it has none."""
        return None

    def status(self, word: str, message_id: str, to: str, sender: str, code: str | None = None) -> Any:
        """A status callback."""
        raise NotImplementedError

    def call(self, payload: Any, url: str, account: CarrierAccount) -> Call:
        """The call that delivers it now at `url`, with the credential of the account: the oldest that is good."""
        raise NotImplementedError

    def forged(self, payload: Any, url: str, account: CarrierAccount) -> dict[str, Call]:
        """The same with every credential that is wrong: missing, stale, another's, ..."""
        raise NotImplementedError


def _load() -> dict[str, CarrierCase]:
    modules = [import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__)]
    return {module.CASE.NAME: module.CASE for module in modules}


CASES: dict[str, CarrierCase] = _load()
