"""`qbwoo mapping`: which record of a shop is which in QuickBooks."""

from __future__ import annotations

from typing import Any

import click
from sqlalchemy.orm import Session

from ops_console.cli.desk import Desk, with_desk
from ops_console.cli.output import (
    ask,
    json_option,
    print_record,
    print_rows,
    remark,
    yes_option,
)
from ops_console.errors import WrongUsage
from ops_console.products import the_store
from queue_store import mappings, product_mappings
from queue_store.attribute_values import ATTRIBUTE, unknown_values
from queue_store.catalogue import list_mappings
from queue_store.companies import get_company, get_store, list_companies, list_stores
from queue_store.mapping_files import MappingLine, export_lines
from queue_store.models import Company, Mapping
from queue_store.product_mappings import PRODUCT

kind_choice = click.Choice(tuple(mappings.KINDS))
company_option = click.option("--company", help="Needed when there are several.")
_store = click.option("--store", help="Only for this store; else for all of the company.")


@click.group()
def mapping() -> None:
    """Which record of a shop is which in QuickBooks."""


@mapping.command("list")
@click.option("--kind", type=kind_choice, help="Only this kind.")
@click.option("--company", help="Only of this company.")
@click.option(
    "--unknown",
    is_flag=True,
    help="With --kind attribute: sizes and attributes of QuickBooks that no mapping names.",
)
@click.option("--store", help="With --unknown: as this store sees them.")
@json_option
@with_desk
def list_(
    desk: Desk, kind: str | None, company: str | None, unknown: bool, store: str | None, as_json: bool
) -> None:
    """List the mappings.

    \b
    For example:
      qbwoo mapping list --kind item
      qbwoo mapping list --kind attribute --unknown
    """
    if unknown or store:
        if not unknown or kind != ATTRIBUTE:
            raise WrongUsage("--unknown and --store go together with --kind attribute.")
        _list_unknown(desk, company, store, as_json=as_json)
        return
    with desk.read() as db:
        company_id = get_company(db, company).id if company else None
        rows = _rows(db, list(list_mappings(db, company_id=company_id, kind=kind)))
        if kind == PRODUCT:
            rows = [
                {"company": owner.name, "kind": kind, **_line(line)}
                for owner in list_companies(db)
                if company_id in (None, owner.id)
                for line in export_lines(db, owner, PRODUCT)
            ]
    columns = ("company", "store", "kind", "key", "list_id", "label", "source")
    print_rows(rows, columns, as_json=as_json, empty="There is no mapping.")


def _list_unknown(desk: Desk, company: str | None, store: str | None, *, as_json: bool) -> None:
    with desk.read() as db:
        company_id = get_company(db, company).id if company else None
        stores = [get_store(db, store)] if store else list_stores(db, company_id)
        rows = [
            {"store": one.name, "key": f"{which}:{value}", "items": count}
            for one in stores
            for (which, value), count in unknown_values(db, one).items()
        ]
    empty = "Every size and attribute of QuickBooks has a mapping."
    print_rows(rows, ("store", "key", "items"), as_json=as_json, empty=empty)
    if rows:
        remark("They go to the shop as they are. To change one: qbwoo mapping set attribute KEY WORD")


@mapping.command("set")
@click.argument("kind", type=kind_choice)
@click.argument("key")
@click.argument("list_id")
@company_option
@_store
@json_option
@yes_option
@with_desk
def set_(
    desk: Desk,
    kind: str,
    key: str,
    list_id: str,
    company: str | None,
    store: str | None,
    as_json: bool,
    yes: bool,
) -> None:
    """Say that the record KEY of the shop is LIST_ID in QuickBooks.

    Of kind tax LIST_ID is CATEGORY/CODE, of kind location it is numbers of stores
    such as 1+2. Of kind product KEY is the product's id in the shop, and holds
    whatever becomes of its SKU. Put -- before an id that begins with "-".

    \b
    For example:
      qbwoo mapping set item TS-RED-M -- -7182818284590452353
      qbwoo mapping set product 118 --store main -- -7182818284590452353
      qbwoo mapping set location TS-RED-M 1+2
      qbwoo mapping set tax rates:3+4 "Local Sales Tax/Tax" --store main
    """
    if kind == PRODUCT:
        _set_product(desk, key, list_id, store, as_json=as_json, yes=yes)
        return
    with desk.read() as db:
        owner, store_id = owner_of(db, company, store)
        before = mappings.find_mapping(db, owner, kind=kind, key=key, store_id=store_id)
        was = before.list_id if before else list_id
    if was != list_id:
        ask(f"The {kind} mapping of {key} is {was} now. Replace it?", yes=yes)
    with desk.write() as db:
        owner, store_id = owner_of(db, company, store)
        made = mappings.set_mapping(
            db, owner, kind=kind, key=key, list_id=list_id, store_id=store_id, who=desk.who
        )
        record = _rows(db, [made])[0]
    print_record(record, as_json=as_json)
    remark("What failed for want of it goes again by: qbwoo activity retry ID")


@mapping.command()
@click.argument("kind", type=kind_choice)
@click.argument("key")
@company_option
@_store
@yes_option
@with_desk
def remove(desk: Desk, kind: str, key: str, company: str | None, store: str | None, yes: bool) -> None:
    """Forget what the record KEY of the shop is in QuickBooks: it is looked up again.

    \b
    For example:
      qbwoo mapping remove item TS-RED-M
    """
    ask(f"Forget the {kind} mapping of {key}?", yes=yes)
    if kind == PRODUCT:
        with desk.write() as db:
            there = the_store(db, store)
            product_mappings.remove_product(
                db, there, product_mappings.known_product(db, there, key), desk.who
            )
        remark(
            f"The product mapping of {key} is gone. If its SKU is the key of one item, it is matched again by that; "
            f"to keep anything from being written: qbwoo product hold {key}"
        )
        return
    with desk.write() as db:
        owner, store_id = owner_of(db, company, store)
        mappings.remove_mapping(db, owner, kind=kind, key=key, store_id=store_id, who=desk.who)
    remark(f"The {kind} mapping of {key} is gone.")


def _set_product(desk: Desk, key: str, list_id: str, store: str | None, *, as_json: bool, yes: bool) -> None:
    with desk.read() as db:
        there = the_store(db, store)
        was = product_mappings.known_product(db, there, key).list_id
    if was is not None and was != list_id:
        ask(f"Product {key} of store {there.name} is item {was} now. Replace it?", yes=yes)
    with desk.write() as db:
        there = the_store(db, store)
        row = product_mappings.known_product(db, there, key)
        product_mappings.set_product(db, there, row, list_id, desk.who)
        record = {"store": there.name, "kind": PRODUCT, "key": key, "list_id": list_id, "label": row.name}
    print_record(record, as_json=as_json)


def owner_of(db: Session, company: str | None, store: str | None) -> tuple[Company, int]:
    """The company, and the store's id or 0."""
    found = get_store(db, store) if store else None
    if company is None and found is not None:
        owner = db.get(Company, found.company_id)
        assert owner is not None
        return owner, found.id
    if company is None:
        companies = list_companies(db)
        if len(companies) != 1:
            raise WrongUsage("Say which company: --company NAME. See: qbwoo company list")
        return companies[0], 0
    owner = get_company(db, company)
    if found is not None and found.company_id != owner.id:
        raise WrongUsage(f"Store {found.name} is not one of company {owner.name}.")
    return owner, found.id if found else 0


def _rows(db: Session, found: list[Mapping]) -> list[dict[str, Any]]:
    companies = {company.id: company.name for company in list_companies(db)}
    stores = {store.id: store.name for store in list_stores(db)}
    return [
        {
            "company": companies.get(one.company_id, ""),
            "store": stores.get(one.store_id, ""),
            "kind": one.kind,
            "key": one.key,
            "list_id": one.list_id,
            "label": one.label,
            "source": one.source,
            "created_at": one.created_at,
        }
        for one in found
    ]


def _line(line: MappingLine) -> dict[str, Any]:
    return {
        "store": line.store,
        "key": line.key,
        "list_id": line.value,
        "label": line.label,
        "source": line.source,
    }
