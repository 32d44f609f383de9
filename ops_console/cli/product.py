"""`qbwoo product`: the shops' products beside QuickBooks' items."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from ops_console import products
from ops_console.cli.desk import Desk, with_desk
from ops_console.cli.output import (
    ask,
    json_option,
    print_json,
    print_record,
    print_rows,
    remark,
    say,
    yes_option,
)
from ops_console.errors import NotDone, WrongUsage
from queue_store.errors import NotFound
from queue_store.models import Store
from queue_store.product_status import ProductStatus, Status

_STATUSES = click.Choice([status.value for status in Status])
_LISTED = (
    *("sku", "status", "shop_quantity", "quickbooks_quantity", "promised", "shop_price", "should_price"),
    "why",
)
_TITLES = {
    "shop_quantity": "shop",
    "quickbooks_quantity": "books",
    "promised": "held",
    "shop_price": "price",
    "should_price": "should",
}
_store = click.option("--store", help="The shop; not needed where there is one only.")


@click.group()
def product() -> None:
    """The shops' products beside QuickBooks' items."""


@product.command("list")
@click.option("--store", help="Only of this shop.")
@click.option("--status", type=_STATUSES, help="Only those that stand so.")
@click.option("--sku", "names", multiple=True, help="Only these, by SKU or id; may be repeated.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(0), help="0: all.")
@json_option
@with_desk
def list_(
    desk: Desk,
    store: str | None,
    status: str | None,
    names: tuple[str, ...],
    limit: int,
    as_json: bool,
) -> None:
    """List products with both quantities, what orders hold of them, both prices, and why they differ.

    \b
    shop, books   pieces that the shop shows, that QuickBooks had when it was read
    held          pieces promised to buyers that QuickBooks does not know of yet
    price, should the shop's price, and what it should be by QuickBooks' and the rules

    \b
    For example:
      qbwoo product list --status "out of sync"
      qbwoo product list --store main --sku TS-RED-M --json
    """
    rows: list[dict[str, Any]] = []
    more = False
    with desk.read() as db:
        stores = products.stores_of(db, store)
        for owner, one in products.listed(db, stores, status=status, names=names):
            if limit and len(rows) == limit:
                more = True
                break
            row = products.as_row(one, owner)
            rows.append(row if as_json else _short(row, one, with_store=len(stores) > 1))
    columns = (("store",) if len(stores) > 1 else ()) + tuple(_TITLES.get(name, name) for name in _LISTED)
    print_rows(rows, columns, as_json=as_json, empty="There is no such product.")
    if more and not as_json:
        remark(f"These are the first {limit}. For all: --limit 0")


def _short(row: dict[str, Any], one: ProductStatus, *, with_store: bool) -> dict[str, Any]:
    """A line for people; a product without a SKU goes by its id."""
    short = {_TITLES.get(name, name): row[name] for name in _LISTED}
    short |= {
        "sku": row["sku"] or f"({row['id']})",
        "held": row["promised"] or None,
        "why": products.told(one),
    }
    return {"store": row["store"], **short} if with_store else short


@product.command()
@click.argument("name", metavar="SKU|ID")
@_store
@json_option
@with_desk
def show(desk: Desk, name: str, store: str | None, as_json: bool) -> None:
    """Show a product: what it shows and should, the orders that hold it, and what was written lately.

    \b
    For example:
      qbwoo product show TS-RED-M
      qbwoo product show 118 --store main --json
    """
    shown: list[dict[str, Any]] = []
    with desk.read() as db:
        for owner, one in products.listed(db, products.stores_of(db, store), names=[name]):
            row = products.as_row(one, owner) | products.read_ages(db, one)
            shown.append(row | {"updates": products.last_looks(db, owner, one.row.product_id)})
    if not shown:
        raise NotFound("product", name, "It lies in the shop's trash.")
    if as_json:
        print_json(shown[0] if len(shown) == 1 else shown)
        return
    for index, row in enumerate(shown):
        if index:
            say()
        _print(row)


def _print(row: dict[str, Any]) -> None:
    lists = ("differs", "orders", "updates")
    print_record({key: value for key, value in row.items() if key not in lists and value not in (None, "")})
    titles = {
        "differs": ("Differs", ("field", "shop", "should")),
        "orders": ("Held by", ("name", "taken", "in_books", "holds", "receipt")),
        "updates": ("Last looks", ("at", "result", "what")),
    }
    for key, (title, columns) in titles.items():
        if row[key]:
            say(f"\n{title}")
            print_rows(row[key], columns)


@product.command()
@click.argument("names", metavar="[SKU|ID]...", nargs=-1)
@click.option(
    "--field", required=True, type=click.Choice(sorted(products.FIELDS)), help="What to bring in step."
)
@click.option(
    "--from", "source", required=True, type=click.Choice(["shop", "quickbooks"]), help="Which side is right."
)
@_store
@click.option("--all", "everything", is_flag=True, help="All products of the shop.")
@click.option("--status", type=_STATUSES, help="All that stand so.")
@click.option("--dry-run", is_flag=True, help="Show what would be sent; write and send nothing.")
@json_option
@yes_option
@with_desk
def sync(
    desk: Desk,
    names: tuple[str, ...],
    field: str,
    source: str,
    store: str | None,
    everything: bool,
    status: str | None,
    dry_run: bool,
    as_json: bool,
    yes: bool,
) -> None:
    """Bring products in step in one field: QuickBooks' value goes to the shop, or the shop's to QuickBooks.

    What goes to the shop is computed anew and written by the worker, of this field
    alone; what is held, or beyond a limit, stays so. What goes to QuickBooks goes as
    by: qbwoo push inventory, qbwoo push prices.

    \b
    For example:
      qbwoo product sync TS-RED-M --field stock --from quickbooks
      qbwoo product sync --status "out of sync" --field price --from quickbooks --dry-run
    """
    if sum((bool(names), everything, status is not None)) != 1:
        raise WrongUsage("Say which products: SKUs or ids, or --all, or --status STATUS.")
    with desk.read() as db:
        owner = products.the_store(db, store)
        if source == "shop":
            chosen = [
                one.row.product_id for _, one in products.listed(db, [owner], status=status, names=names)
            ]
    if source == "shop":
        from ops_console.cli.push_by_hand import push_level

        if not chosen:
            raise NotDone("There is no such product.")
        named = None if everything else ",".join(map(str, chosen))
        given: dict[str, Any] = {
            "dry_run": dry_run,
            "as_json": as_json,
            "yes": yes,
            "anew": False,
            "limit": 50,
        }
        push_level(desk, field, store=owner.name, ids=named, **given)
        return
    plan = _plan(desk, owner, field, status, names)
    going = [row for row in plan if row["outcome"] == "asked for"]
    if not dry_run and going:
        if len(going) > 1:
            ask(f"Have {len(going)} products of store {owner.name} looked at and written?", yes=yes)
        products.ask_again(desk.database, owner.name, [row["id"] for row in going], desk.who, field=field)
    print_rows(
        plan,
        ("id", "sku", "field", "shop", "should", "outcome", "sentence"),
        as_json=as_json,
        empty=f"Nothing differs in its {field}.",
    )
    if dry_run:
        remark("Nothing was written: a dry run.")
    elif going:
        remark("The worker writes them. See: qbwoo product show SKU")
    stuck = [row for row in plan if row["outcome"] == "not possible"]
    if stuck:
        raise NotDone(f"{len(stuck)} of {len(plan)} cannot be brought in step so; see their sentences.")


def _plan(
    desk: Desk, owner: Store, field: str, status: str | None, names: Iterable[str]
) -> list[dict[str, Any]]:
    """What differs in the field; products that are named are looked at in any case."""
    named = list(names)
    plan: list[dict[str, Any]] = []
    with desk.read() as db:
        for store, one in products.listed(db, [owner], status=status, names=named):
            own = [found for found in one.fields if found.kind == products.FIELDS[field]]
            if not own and not named:
                continue
            sentence = products.hindrance(store, one, field)
            first = own[0] if own else None
            plan.append(
                {
                    "id": one.row.product_id,
                    "sku": one.row.sku,
                    "field": first.field if first else field,
                    "shop": first.shop if first else None,
                    "should": first.should if first else None,
                    "outcome": "not possible" if sentence else "asked for",
                    "sentence": sentence or ("" if first else "as far as is known it does not differ"),
                }
            )
    return plan


def _held(name: str, *, held: bool, text: str) -> None:
    """`hold` and `release`, which differ in a word."""

    @product.command(name, help=f"{text}\n\n\b\nFor example:\n  qbwoo product {name} TS-RED-M")
    @click.argument("names", metavar="SKU|ID...", nargs=-1, required=True)
    @_store
    @json_option
    @with_desk
    def command(desk: Desk, names: tuple[str, ...], store: str | None, as_json: bool) -> None:
        with desk.write() as db:
            owner = products.the_store(db, store)
            rows = products.called(db, [owner], names)
            products.set_held(db, rows, desk.who, held=held)
            done = [
                products.as_row(one, owner)
                for one in products.looked_at(db, owner, [row.product_id for row in rows])
            ]
        print_rows(done, ("id", "sku", "name", "status", "why"), as_json=as_json)


_held("hold", held=True, text="Write nothing of these products to the shop until they are released.")
_held("release", held=False, text="Let stock and prices of held products flow again.")


@product.command()
@click.option("--store", help="The shop; not needed where there is one only.")
@click.option("--order", "number", required=True, help="Its number, or its id.")
@json_option
@yes_option
@with_desk
def booked(desk: Desk, store: str | None, number: str, as_json: bool, yes: bool) -> None:
    """Say that an order is in the books, though not by us: then it holds no stock any more.

    For an order whose receipt you cancelled here and entered in QuickBooks by hand.

    \b
    For example:
      qbwoo product booked --store main --order 1207
    """
    ask(f"Order {number} is in QuickBooks' books already, with all its pieces?", yes=yes)
    with desk.write() as db:
        owner = products.the_store(db, store)
        record, items = products.book_order(db, owner, number, desk.who)
        name = owner.name
    print_record({"store": name, "order": number, "id": record, "items": items}, as_json=as_json)
