"""`qbwoo push customers|products|inventory|prices`: records of a shop sent because somebody says so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from ops_console.cli.desk import Desk, with_desk
from ops_console.cli.hand_options import HandOptions, go_through, hand_options, moment, numbers
from ops_console.cli.output import progress
from ops_console.cli.push import push


@push.command()
@hand_options(ids="Ids of accounts", since="Accounts changed at this time or later")
@with_desk
def customers(desk: Desk, /, ids: str | None, since: str | None, **given: Any) -> None:
    """Send accounts of a shop to QuickBooks: those that it lacks are added, those that it has are changed.

    Without this, a customer is added with the first order.

    \b
    For example:
      qbwoo push customers --store main --since 2026-01-01 --dry-run
      qbwoo push customers --store main --ids 4,17 --yes
    """
    from ops_console import shops
    from ops_console.by_hand import HandRun, Line, Selection
    from ops_console.push_customers import push_customers

    options = HandOptions(**given)

    def pieces(run: HandRun) -> Iterator[list[Line]]:
        with shops.shop_client(desk.settings, desk.database, desk.box, options.store) as client:
            yield from push_customers(run, client)

    selection = Selection(ids=numbers(ids), since=moment(since))
    question = "{count} customer{s} of store " + options.store + " will be sent to QuickBooks. Go on?"
    go_through(desk, "push customers", selection, options, pieces, question)


@push.command()
@hand_options(ids="Ids of products", sku=True, since="Products changed at this time or later")
@with_desk
def products(desk: Desk, /, ids: str | None, skus: tuple[str, ...], since: str | None, **given: Any) -> None:
    """Make items of QuickBooks of products that it lacks, whatever products.to_quickbooks says; also of drafts.

    QuickBooks is asked for each SKU before an item is made. Of products that are an
    item already, fields go that products.shop_rules names.

    \b
    For example:
      qbwoo push products --store main --sku TS-RED-M --dry-run
      qbwoo push products --store main --since 2026-01-01
    """
    from ops_console import shops
    from ops_console.by_hand import HandRun, Line, Selection
    from ops_console.chosen_products import name_products, read_first
    from ops_console.push_products import push_products

    options = HandOptions(**given)
    selection = Selection(ids=numbers(ids), skus=skus, since=moment(since))
    selection = name_products(desk.database, options.store, selection)
    told: list[int] = []

    def pieces(run: HandRun) -> Iterator[list[Line]]:
        with shops.shop_client(desk.settings, desk.database, desk.box, options.store) as client:
            # Once, though records are looked at first and then sent.
            if not told:
                told.append(sum(progress(read_first(run, client), "Reading products", size=int)))
            yield from push_products(run, client)

    question = "{count} product{s} of store " + options.store + " will be sent to QuickBooks. Go on?"
    go_through(desk, "push products", selection, options, pieces, question)


@push.command()
@hand_options(ids="Ids of products", sku=True, since="Products changed at this time or later")
@click.option("--beyond-limit", is_flag=True, help="Also what is more than stock.limit.")
@with_desk
def inventory(
    desk: Desk, /, ids: str | None, skus: tuple[str, ...], since: str | None, beyond_limit: bool, **given: Any
) -> None:
    """Take the shop's quantities for the truth: QuickBooks' stock is adjusted by the difference.

    The difference is to what QuickBooks had when it was read last, less what orders
    hold; what a till sells meanwhile stays counted. Open orders that were entered
    into the books by hand cannot be told: name them first by qbwoo product booked.

    \b
    For example:
      qbwoo push inventory --store main --sku TS-RED-M --dry-run
      qbwoo push inventory --store main
    """
    push_level(desk, "stock", ids=ids, skus=skus, since=since, beyond_limit=beyond_limit, **given)


@push.command()
@hand_options(ids="Ids of products", sku=True, since="Products changed at this time or later")
@click.option("--beyond-limit", is_flag=True, help="Also what moves by more than prices.limit_percent.")
@with_desk
def prices(
    desk: Desk, /, ids: str | None, skus: tuple[str, ...], since: str | None, beyond_limit: bool, **given: Any
) -> None:
    """Send the shop's prices to QuickBooks: to the price level that the shop's prices are made of.

    \b
    For example:
      qbwoo push prices --store main --sku TS-RED-M --dry-run
      qbwoo push prices --store main --since 2026-01-01
    """
    push_level(desk, "price", ids=ids, skus=skus, since=since, beyond_limit=beyond_limit, **given)


def push_level(
    desk: Desk,
    field: str,
    *,
    ids: str | None = None,
    skus: tuple[str, ...] = (),
    since: str | None = None,
    beyond_limit: bool = False,
    **given: Any,
) -> None:
    """`push inventory` ("stock") and `push prices` ("price"), also as `product sync --from shop` does it."""
    from ops_console import push_levels, shops
    from ops_console.by_hand import HandRun, Line, Selection
    from ops_console.chosen_products import name_products, read_first

    options = HandOptions(**given)
    selection = Selection(ids=numbers(ids), skus=skus, since=moment(since))
    selection = name_products(desk.database, options.store, selection)
    told: list[int] = []
    work = push_levels.push_inventory if field == "stock" else push_levels.push_prices

    def pieces(run: HandRun) -> Iterator[list[Line]]:
        with shops.shop_client(desk.settings, desk.database, desk.box, options.store) as client:
            # Once, though records are looked at first and then sent.
            if not told:
                told.append(sum(progress(read_first(run, client), "Reading products", size=int)))
            yield from work(run, client, beyond_limit=beyond_limit)

    question = (
        "The stock of {count} item{s} of QuickBooks will be adjusted to what store "
        + options.store
        + " shows. Go on?"
        if field == "stock"
        else "The prices of {count} item{s} of QuickBooks will become those of store "
        + options.store
        + ". Go on?"
    )
    name = "push inventory" if field == "stock" else "push prices"
    go_through(desk, name, selection, options, pieces, question)
