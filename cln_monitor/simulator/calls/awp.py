"""The call for the billing of AccelerateWP: `/cl/awp` (API document: AccelerateWP Billing Information)."""

from cln_monitor.simulator import answers
from cln_monitor.simulator.answers import SimulatedAnswer
from cln_monitor.simulator.model import AWP_PRODUCTS, AwpEntity, is_month

from . import arguments
from .call import CallRefusedError, Route, SimulatedCall
from .tokens import authorized


def _list(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `/cl/awp` with a list without an envelope. A refusal has an envelope, as for all other calls."""
    account = authorized(call)
    products = {arguments.choice(product, AWP_PRODUCTS, "product") for product in arguments.listed(call, "products")}
    month = arguments.required(call, "yearMonth")
    if not is_month(month):
        raise CallRefusedError(f"Invalid yearMonth: {month}")
    entities = account.awp_entities.get(month, [])
    return answers.bare([_row(entity) for entity in entities if entity.product in products])


def _row(entity: AwpEntity) -> dict[str, str | None]:
    row = {"product": entity.product, "primary_domain": entity.primary_domain, "username": entity.username}
    return row if entity.cdn_limit_type is None else {**row, "cdn_limit_type": entity.cdn_limit_type}


ROUTES = (Route("GET", "/cl/awp", _list),)
