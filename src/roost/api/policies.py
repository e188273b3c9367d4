"""What the effects of a delivery depend on: the organization's settings and its carrier's habits, brought together."""

from roost.carriers.registry import CARRIERS
from roost.core.account import CarrierAccount
from roost.store.base import Store
from roost.store.group import Policy
from roost.store.policy import policy_of


async def policy_for(store: Store, account: CarrierAccount) -> Policy:
    """What the effects of the account's deliveries depend on."""
    organization = await policy_of(store, account.org_id)
    assert organization is not None, "an account belongs to an organization"
    carrier = CARRIERS.get(account.carrier)

    def answers_opt_outs(number: str) -> bool:
        return carrier is not None and carrier.answers_opt_outs(number, account)

    return Policy(organization.settings, organization.name, answers_opt_outs)
