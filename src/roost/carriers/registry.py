"""Every carrier, by name. A new one is one file and one line here."""

from roost.carriers import android, bandwidth, loopback, plivo, sinch, telnyx, twilio, vonage, vonage_messages
from roost.carriers.contract import Carrier

CARRIERS: dict[str, Carrier] = {
    carrier.NAME: carrier
    for carrier in (android, bandwidth, loopback, plivo, sinch, telnyx, twilio, vonage, vonage_messages)
}
