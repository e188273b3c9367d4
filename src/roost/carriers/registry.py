"""Every carrier, by name. A new one is one file and one line here."""

from roost.carriers import bandwidth, loopback, sinch, telnyx
from roost.carriers.contract import Carrier

CARRIERS: dict[str, Carrier] = {carrier.NAME: carrier for carrier in (bandwidth, loopback, sinch, telnyx)}
