"""`qbwoo pull`: records of QuickBooks brought to a shop because somebody says so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from ops_console.cli.desk import Desk, with_desk
from ops_console.cli.hand_options import HandOptions, go_through, hand_options, moment, numbers
from ops_console.cli.output import progress, remark
from ops_console.errors import NotDone
from queue_store.companies import get_store, live_kinds


@click.group()
def pull() -> None:
    """Bring records of QuickBooks to a shop."""


@pull.command()
@hand_options(since="Items changed in QuickBooks at this time or later")
@click.option("--sku", "--item", "names", multiple=True, help="This item, by ALU, UPC, number or ListID.")
@with_desk
def products(desk: Desk, /, since: str | None, names: tuple[str, ...], **given: Any) -> None:
    """Make draft products of items that the shop lacks: of those named, else of those that the store's rule wants.

    Named ones are made whatever products.from_quickbooks says. Items are those that
    QuickBooks had when they were read last.

    \b
    For example:
      qbwoo pull products --store main --sku TS-RED-M --dry-run
      qbwoo pull products --store main --since 2026-01-01
    """
    from ops_console.by_hand import HandRun, Line, Selection
    from ops_console.pull_products import item_ids, pull_products

    options = HandOptions(**given)
    ids = item_ids(desk.database, options.store, names)
    with desk.read() as db:
        is_live = "products" in live_kinds(get_store(db, options.store))
    if not is_live and not options.dry_run:
        raise NotDone(
            f"Store {options.store} is not live for products: nothing would be made there. "
            f"Run: qbwoo store live {options.store} --also products"
        )

    def pieces(run: HandRun) -> Iterator[list[Line]]:
        yield from pull_products(run, ids)

    question = "{count} draft product{s} will be made in store " + options.store + ". Go on?"
    selection = Selection(skus=tuple(ids), since=moment(since))
    go_through(desk, "pull products", selection, options, pieces, question)


def _level(name: str, kind: str, text: str, example: str, limit: str) -> None:
    """`inventory` and `prices`, which differ in a word."""

    @pull.command(name, help=f"{text}\n\n\b\nFor example:\n  {example} --dry-run\n  {example} --yes")
    @hand_options(ids="Ids of products", sku=True, since="Products changed in the shop at this time or later")
    @click.option("--beyond-limit", is_flag=True, help=f"Not live: write also what is beyond {limit}.")
    @with_desk
    def command(
        desk: Desk,
        /,
        ids: str | None,
        skus: tuple[str, ...],
        since: str | None,
        beyond_limit: bool,
        **given: Any,
    ) -> None:
        from ops_console import pull_levels, shops
        from ops_console.by_hand import HandRun, Line, Selection
        from ops_console.chosen_products import name_products, read_first

        options = HandOptions(**given)
        selection = Selection(ids=numbers(ids), skus=skus, since=moment(since))
        selection = name_products(desk.database, options.store, selection)
        task = f"pull {name}"
        look = HandRun(desk.database, options.store, task, selection, dry_run=True, who=desk.who)
        is_live = pull_levels.flows(look, kind)
        if not is_live:
            remark(f"Store {options.store} is not live for {kind}: it is written once, and does not follow.")
            if kind == "stock":
                remark(
                    "Open orders are counted, unless we wrote their receipt; of one that was entered in QuickBooks by "
                    "hand, too few pieces are shown."
                )

        told: list[int] = []

        def pieces(run: HandRun) -> Iterator[list[Line]]:
            with shops.shop_client(desk.settings, desk.database, desk.box, options.store) as client:
                # Once, though records are looked at first and then sent.
                if not told:
                    told.append(sum(progress(read_first(run, client), "Reading products", size=int)))
                yield from pull_levels.pull_levels(run, client, kind, beyond_limit=beyond_limit)

        written = "looked at and written by the worker" if is_live else "written once, now"
        question = "{count} product{s} of store " + options.store + f" will be {written}. Go on?"
        go_through(desk, task, selection, options, pieces, question)


_level(
    "inventory",
    "stock",
    "Bring QuickBooks' quantities to the shop, by the store's rules (buffer, share, stores, orders).",
    "qbwoo pull inventory --store main --sku TS-RED-M",
    "stock.limit",
)
_level(
    "prices",
    "prices",
    "Bring QuickBooks' prices to the shop, by the store's rules (levels, percent, ending).",
    "qbwoo pull prices --store main --sku TS-RED-M",
    "prices.limit_percent",
)


@pull.command()
@hand_options(since="Customers changed in QuickBooks at this time or later")
@click.option(
    "--create", is_flag=True, help="Make accounts; the shop writes an e-mail to each of these people."
)
@with_desk
def customers(desk: Desk, /, since: str | None, create: bool, **given: Any) -> None:
    """List QuickBooks' customers that have an e-mail address and no account in the shop.

    With --create an account is made for each. WooCommerce then writes to these
    people that an account was made for them: do that only if they expect it.

    \b
    For example:
      qbwoo pull customers --store main
      qbwoo pull customers --store main --since 2026-01-01 --create --dry-run
    """
    from dataclasses import replace

    from ops_console import shops
    from ops_console.by_hand import HandRun, Line, Selection
    from ops_console.pull_customers import emails_of, pull_customers

    # A report writes nothing, and asks nothing.
    options = HandOptions(**given)
    if not create:
        options = replace(options, dry_run=True)

    def pieces(run: HandRun) -> Iterator[list[Line]]:
        with shops.shop_client(desk.settings, desk.database, desk.box, options.store) as client:
            known = set(progress(emails_of(client), "Reading accounts"))
            yield from pull_customers(run, client, known, create=create)

    question = (
        "{count} account{s} will be made in store "
        + options.store
        + ", and the shop WRITES AN E-MAIL to each of these "
        "people. Go on?"
    )
    go_through(desk, "pull customers", Selection(since=moment(since)), options, pieces, question)
