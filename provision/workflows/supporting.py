"""Whom the people of a bundle call: who supports them, before who runs the servers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from provision.phones.devices import Support
from provision.registry import orders
from provision.subscriptions.parties import profiles
from provision.subscriptions.selling import opening

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.registry.models import Bundle
    from provision.settings import Operator
    from provision.subscriptions.parties.models import Organisation
    from provision.workflows.control import Control


def support(control: Control, bundle: Bundle) -> Support:
    """Return whom the sheets of `bundle` name, by the profiles that rule today.

    Of the association that supports, the operator and the business that sells, in this order, the
    first with a telephone number is called; without any, the first with an address is written to.
    """
    operator = _operator(control.settings.operator)
    with control.reading() as session:
        opened = opening.of_order(session, orders.of_bundle(session, bundle).id)
        if opened is None:
            return operator
        contract = opening.contract_on(opened, control.today())
        seller, supporter = contract.seller, contract.supporter
        known = [
            _organisation(session, organisation, control.today())
            for organisation in (supporter, seller)
        ]
    ranked = [party for party in (known[0], operator, known[1]) if party is not None]
    chosen = next((party for party in ranked if party.telephone), ranked[0])
    if seller.id == supporter.id:
        return replace(chosen, sold_by=seller.name)
    return replace(chosen, sold_by=seller.name, supported_by=supporter.name)


def _operator(operator: Operator) -> Support:
    return Support(operator.name, operator.telephone, operator.contact)


def _organisation(session: Session, organisation: Organisation, day: date) -> Support | None:
    profile = profiles.on(session, organisation.id, day)
    return None if profile is None else Support(profile.name, profile.phone, profile.email)
