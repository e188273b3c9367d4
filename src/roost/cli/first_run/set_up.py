"""What `roost init` makes, each thing only where it is not there yet, so that it can be run again after an interruption."""

from collections.abc import Mapping
from hashlib import sha256
from typing import NamedTuple

from roost.carriers.credentials import new_secrets
from roost.cli.carriers import renew
from roost.cli.common import LISTED
from roost.core.account import CarrierAccount
from roost.core.ids import parse_uuid
from roost.store.backfills import Backfills
from roost.store.base import Store
from roost.store.directory import Agent, Directory, Number, Organization
from roost.store.pages import PageOf
from roost.wallet import checksum_address

_LABEL = "roost init"
_TRIED_OUT = 15_551_112_222
#: What reading, and answering what came, takes.
_SCOPES = ("consent:read", "messages:read", "messages:send", "numbers:read")


class Answers(NamedTuple):
    """`organization` is a name or an id, `values` are the carrier's fields; a public URL of None is where the server listens."""

    organization: str
    carrier: str
    number: str
    values: dict[str, str]
    public_url: str | None


class SetUp(NamedTuple):
    """All that a first text needs. `shown` is the credential for the carrier, if it was made now. A key or a token of None
    was made by an earlier run, and somebody uses it."""

    organization: Organization
    account: CarrierAccount
    shown: Mapping[str, str]
    number: Number
    agent: Agent
    key: str | None
    token: str | None


async def find_organization(directory: Directory, text: str) -> Organization | None:
    """By id or name; None where there is none of that name yet. Raises ValueError where several have it."""
    named = await directory.organizations_named(text)
    if len(named) > 1:
        raise ValueError(f"more than one organization is named {text}; give its id")
    if named:
        return named[0]
    org_id = parse_uuid(text)
    found = await directory.organization(org_id) if org_id else None
    if org_id and found is None:
        raise ValueError(f"no organization has the id {text}")
    return found


async def standing_account(store: Store, organization: str, carrier: str, number: str) -> CarrierAccount | None:
    """The account that holds the number, if it is registered. Raises ValueError where that is somewhere else."""
    directory = Directory(store)
    owner, found = await find_organization(directory, organization), await directory.number(number)
    if found is None:
        return None
    account = await directory.carrier_account(found.carrier_account_id)
    if account is None or owner is None or owner.org_id != found.org_id:
        raise ValueError(f"{number} is registered already, by another organization")
    if account.carrier != carrier:
        raise ValueError(f"{number} is registered already, at {account.carrier}")
    return account


async def free_number(store: Store) -> str:
    """One to try things out with that nobody has; the demo, on the same data directory, has the first."""
    directory = Directory(store)
    number = _TRIED_OUT
    while await directory.number(f"+{number}") is not None:
        number += 1
    return f"+{number}"


async def set_up(store: Store, answers: Answers, wallet: str | None) -> SetUp:
    """Find or make. Raises ValueError, saying what is in the way."""
    directory = Directory(store)
    account = await standing_account(store, answers.organization, answers.carrier, answers.number)
    owner = await find_organization(directory, answers.organization) or await directory.create_organization(
        answers.organization
    )
    account, shown = await _account(store, owner, answers, account)
    number = await directory.number(answers.number)
    agent = await _agent(directory, owner, number, wallet)
    if number is None:
        number = await directory.add_number(owner.org_id, answers.number, account.id, agent.id, "")
    elif number.agent_id != agent.id:
        number = await directory.change_number(owner.org_id, number.id, lambda each: each._replace(agent_id=agent.id))
    if number is None:
        raise ValueError(f"{answers.number} was registered or removed by somebody else just now; run it again")
    key, token = await _key(directory, owner), await _token(directory, agent)
    return SetUp(owner, account, shown, number, agent, key, token)


async def _account(
    store: Store, owner: Organization, answers: Answers, standing: CarrierAccount | None
) -> tuple[CarrierAccount, Mapping[str, str]]:
    """The number's account, with the values that were given now; else one of the carrier's that has them; else a new one."""
    directory, values = Directory(store), answers.values
    if standing is not None:
        shown = await renew(store, standing, values, forget_old=False) if not _has(standing, values) else {}
        return await directory.carrier_account(standing.id) or standing, shown
    for listed in reversed(await Backfills(store).accounts(owner.org_id)):
        account = await directory.carrier_account(listed.id) if listed.carrier == answers.carrier else None
        if account is not None and _has(account, values):
            return account, {}
    made = new_secrets(answers.carrier, values)
    return await directory.add_carrier_account(owner.org_id, answers.carrier, _LABEL, made.secrets), made.shown


def _has(account: CarrierAccount, values: Mapping[str, str]) -> bool:
    basic = [tuple(pair) for pair in account.secrets.get("basic", ())]
    pair = (values.get("basic_user"), values.get("basic_password"))
    others = [(name, value) for name, value in values.items() if not name.startswith("basic_")]
    return (pair == (None, None) or pair in basic) and all(value == account.newest(name) for name, value in others)


async def _agent(directory: Directory, owner: Organization, number: Number | None, wallet: str | None) -> Agent:
    """Whose wallet was given; else who holds the number; else one whose wallet nobody has the key of, to be read by token."""
    held = await directory.agent_by_id(owner.org_id, number.agent_id) if number and number.agent_id else None
    if held is not None and wallet is None:
        return held
    address = wallet or checksum_address(f"0x{sha256(owner.org_id.encode()).hexdigest()[:40]}")
    agent = await directory.agent(address) or await directory.add_agent(owner.org_id, address, open_=False)
    if agent is None or agent.org_id != owner.org_id:
        raise ValueError(f"the agent {address} belongs to another organization")
    return agent


async def _key(directory: Directory, owner: Organization) -> str | None:
    keys = (await directory.api_keys(PageOf(owner.org_id, LISTED), include_revoked=False)).items
    mine = next((key for key in keys if key.label == _LABEL), None)
    if mine is None:
        return (await directory.create_api_key(owner.org_id, _LABEL, _SCOPES, None)).plaintext
    if mine.last_used_at is not None:
        return None
    again = await directory.rotate_api_key(mine)  # nobody used it: perhaps nobody saw it
    return again.plaintext if again else None


async def _token(directory: Directory, agent: Agent) -> str | None:
    tokens = await directory.access_tokens(agent, LISTED, active=True)
    mine = next((token for token in tokens if token.name == _LABEL), None)
    if mine is not None:
        if mine.last_used_at is not None:
            return None
        await directory.revoke_access_token(agent.org_id, agent.id, mine.id)
    return (await directory.create_access_token(agent, _LABEL, None)).plaintext
