"""The providers at which a shop may sell, each asked by Keypost where the shop has given it the key."""

from collections.abc import Mapping

from tests.simulator.faults.at_mollie import MOLLIE
from tests.simulator.faults.at_moneybird import MONEYBIRD
from tests.simulator.faults.at_stripe import STRIPE
from tests.simulator.faults.at_woocommerce import WOOCOMMERCE
from tests.simulator.faults.provider import Api

APIS: Mapping[str, Api] = {api.prefix: api for api in (MOLLIE, STRIPE, WOOCOMMERCE, MONEYBIRD)}
