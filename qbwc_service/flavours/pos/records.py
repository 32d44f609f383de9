"""Customers and departments as Point of Sale's Adds and Mods."""

from __future__ import annotations

from collections.abc import Mapping

from qbwc_service.errors import NotSendable
from qbwc_service.flavours.pos.customers import names_of
from qbwc_service.flavours.pos.fitting import Fitting
from qbwc_service.needs import CustomerNeed, Gaps, Prepared
from qbxml.errors import QbxmlError
from qbxml.grammar import load_grammar
from qbxml.writer import render_request
from queue_store.payloads import Address, Customer, Department

_GRAMMAR = load_grammar("qbposxml")


def prepare_customer_add(need: CustomerNeed) -> Prepared:
    """CustomerAdd under our CustomerID, by which a lost answer is found again. Raises NotSendable."""
    name = f"Customer {need.customer.email or need.customer.last_name or need.customer_id}"
    fitting = Fitting(name)
    first_name, last_name = names_of(need.customer, fitting)
    body = {
        "CustomerID": need.customer_id,
        **_customer_fields(need.customer, fitting),
        "FirstName": first_name,
        # Required, as opposed to that of a Mod.
        "LastName": last_name,
    }
    return finish(name, "CustomerAddRq", "CustomerAdd", body, fitting)


def prepare_customer_mod(customer: Customer, list_id: str) -> Prepared:
    """CustomerMod of the fields that the shop knows; what it leaves empty stays. Raises NotSendable."""
    name = f"Customer {customer.email or customer.customer_id}"
    fitting = Fitting(name)
    first_name, last_name = names_of(customer, fitting) if customer.last_name else (None, None)
    body = {
        "ListID": list_id,
        **_customer_fields(customer, fitting),
        "FirstName": first_name,
        "LastName": last_name,
    }
    return finish(name, "CustomerModRq", "CustomerMod", body, fitting)


def prepare_department_add(department: Department) -> Prepared:
    """DepartmentAdd with the name and a code of its first letters. Raises NotSendable."""
    name = f"Department {department.name}"
    code = "".join(letter for letter in department.name.upper() if letter.isascii() and letter.isalnum())[:3]
    body = {"DepartmentName": department.name, "DepartmentCode": code or "WEB"}
    return finish(name, "DepartmentAddRq", "DepartmentAdd", body, Fitting(name))


def _customer_fields(customer: Customer, fitting: Fitting) -> dict[str, object]:
    billing, shipping = customer.billing, customer.shipping
    text = fitting.text
    return {
        "CompanyName": text("CompanyName", customer.company, 41),
        "EMail": text("EMail", customer.email, 99),
        "Phone": text("Phone", billing.phone, 40),
        "BillAddress": _address(billing, fitting),
        "ShipAddress": [
            {
                "CompanyName": text("ShipAddress/CompanyName", shipping.company, 41),
                "FullName": text("FullName", f"{shipping.first_name} {shipping.last_name}".strip(), 64),
                **_address(shipping, fitting, country=32),
            }
        ]
        if shipping.line1 or shipping.city
        else None,
    }


def _address(address: Address, fitting: Fitting, country: int = 31) -> Mapping[str, object]:
    return {
        "City": fitting.text("City", address.city, 31),
        "Country": fitting.text("Country", address.country, country),
        "PostalCode": fitting.text("PostalCode", address.postcode, 13),
        "State": fitting.text("State", address.state, 21),
        "Street": fitting.text("Street", address.line1, 41),
        "Street2": fitting.text("Street2", address.line2, 41),
    }


def finish(
    name: str,
    request: str,
    aggregate: str,
    body: Mapping[str, object],
    fitting: Fitting,
    gaps: Gaps | None = None,
) -> Prepared:
    gaps = gaps or Gaps()
    try:
        text = render_request(_GRAMMAR, request, {aggregate: body}, {"requestID": gaps.gap("request")})
    except QbxmlError as error:
        raise NotSendable(f"{name} cannot be written: {error}") from error
    return Prepared(parts=gaps.cut(text), remarks=fitting.remarks)
