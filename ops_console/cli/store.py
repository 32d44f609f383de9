"""`qbwoo store`: WooCommerce shops."""

from __future__ import annotations

from typing import IO, Any

import click

from ops_console import handwork, wsgi
from ops_console.addresses import told_address
from ops_console.cli.desk import Desk, with_desk
from ops_console.cli.output import ask, json_option, print_record, print_rows, remark, yes_option
from ops_console.cli.passwords import SecretFile, first_line
from ops_console.cli.setting import print_settings
from ops_console.errors import NotDone, WrongUsage
from queue_store.companies import (
    KINDS,
    USUAL_KINDS,
    add_store,
    check_kinds,
    get_company,
    get_store,
    list_companies,
    list_stores,
    live_kinds,
)
from queue_store.models import Company, Store
from queue_store.settings import set_store_setting, store_settings
from queue_store.store_setting_list import STORE_SETTINGS
from woo_bridge.errors import BadStoreUrl, BridgeError, UnknownHost


@click.group()
def store() -> None:
    """WooCommerce shops."""


@store.command()
@click.argument("name")
@click.option("--company", required=True, help="The QuickBooks company that its orders go to.")
@click.option("--url", required=True, help="The shop's address, such as https://shop.example.com.")
@click.option("--consumer-key", required=True, help="REST key of the shop, read and write.")
@click.option(
    "--consumer-secret-file", required=True, type=SecretFile, help="File with its secret; - for stdin."
)
@click.option(
    "--webhook-secret-file", required=True, type=SecretFile, help="File with the secret of webhooks."
)
@json_option
@with_desk
def add(
    desk: Desk,
    name: str,
    company: str,
    url: str,
    consumer_key: str,
    consumer_secret_file: IO[str],
    webhook_secret_file: IO[str],
    as_json: bool,
) -> None:
    """Add the shop NAME, which is also the last part of its webhook URL. Nothing flows before it is live.

    \b
    For example:
      qbwoo store add main --company Main --url https://shop.example.com \\
        --consumer-key ck_... --consumer-secret-file cs.txt --webhook-secret-file ws.txt
    """
    from woo_bridge.store_urls import check_store_url

    consumer_secret = first_line(consumer_secret_file, "consumer secret")
    webhook_secret = first_line(webhook_secret_file, "webhook secret")
    try:
        url = check_store_url(url, desk.settings.allow_private_stores)
    except UnknownHost as error:
        # It is looked at again before every call; a shop may be entered before its name is there.
        remark(str(error))
        url = url.strip().rstrip("/")
    except BadStoreUrl as error:
        raise WrongUsage(f"--url: {error}") from error
    with desk.write() as db:
        made = add_store(
            db,
            desk.box,
            company=get_company(db, company),
            name=name,
            url=url,
            consumer_key=consumer_key,
            consumer_secret=consumer_secret,
            webhook_secret=webhook_secret,
        )
        record = {
            "name": made.name,
            "company": company,
            "code": made.code,
            "url": made.url,
            "webhook_path": wsgi.WEBHOOK_PREFIX + made.name,
        }
    print_record(record, as_json=as_json)
    remark(f"Next: qbwoo store connect {name}, then qbwoo store live {name}")


@store.command("list")
@json_option
@with_desk
def list_(desk: Desk, as_json: bool) -> None:
    """List the shops.

    \b
    For example:
      qbwoo store list
    """
    with desk.read() as db:
        companies = {company.id: company.name for company in list_companies(db)}
        rows = [_row(found, companies[found.company_id]) for found in list_stores(db)]
    print_rows(
        rows,
        ("name", "company", "code", "url", "live", "last_webhook_at", "refused_webhooks"),
        as_json=as_json,
        empty="There is no store yet. Run: qbwoo store add",
    )


@store.command("set")
@click.argument("name")
@click.argument("key", required=False)
@click.argument("value", required=False)
@json_option
@with_desk
def set_(desk: Desk, name: str, key: str | None, value: str | None, as_json: bool) -> None:
    """Set KEY of the shop NAME to VALUE; without KEY show all settings, without VALUE show that one.

    \b
    For example:
      qbwoo store set main orders.statuses completed
      qbwoo store set main
    """
    if key is not None and value is not None:
        with desk.write() as db:
            set_store_setting(db, get_store(db, name), key, value, who=desk.who)
        handwork.decide_anew(desk.database, name)
        if key.startswith("products."):
            handwork.find_drafts(desk.database, name)
        if key.startswith(("stock.", "prices.")):
            handwork.look_at_products(desk.database, name, f"{key} was changed")
    with desk.read() as db:
        print_settings(STORE_SETTINGS, store_settings(db, get_store(db, name)), key, as_json=as_json)


@store.command()
@click.argument("name")
@click.option("--only", help=f"Of {','.join(KINDS)}; the others are off.")
@click.option("--also", help="Such as stock,prices: these beside what is live.")
@click.option("--booked", help="Open orders that the books know already, by number, separated by commas.")
@json_option
@yes_option
@with_desk
def live(
    desk: Desk,
    name: str,
    only: str | None,
    also: str | None,
    booked: str | None,
    as_json: bool,
    yes: bool,
) -> None:
    """Let records of the shop NAME flow: customers and orders to QuickBooks, beside what flows already.

    Products, stock and prices are named: with --also, or with --only. The shop is
    read first, and what would change in it is told.

    \b
    For example:
      qbwoo store live main
      qbwoo store live main --only orders
      qbwoo store live main --also stock,prices --booked 1207,1210
    """
    with desk.read() as db:
        found = get_store(db, name)
        company = db.get_one(Company, found.company_id).name
        before = live_kinds(found)
    if only is not None and also is not None:
        raise WrongUsage("Give --only or --also, not both.")
    kinds = _words(only) if only is not None else tuple(sorted({*before, *(_words(also) or USUAL_KINDS)}))
    if not kinds or (also is not None and not _words(also)):
        raise WrongUsage(
            f"It names nothing; give some of {', '.join(KINDS)}, or run: qbwoo store pause {name}"
        )
    check_kinds(kinds)
    with desk.read() as db:
        waiting = handwork.count_released_by_live(db, get_store(db, name), kinds)
    flow = f"{' and '.join(sorted(set(kinds))).capitalize()} of store {name} will flow to company {company}"
    to_shop = sorted(set(kinds) & {"products", "stock", "prices"})
    if to_shop:
        flow = flow.replace("will flow to", "will flow between it and")
    held = f", {waiting} held order{'' if waiting == 1 else 's'} among them" if waiting else ""
    asked = None
    if set(to_shop) - before:
        asked = _begin_to_shop(desk, name, kinds, booked, f"{flow}{held}.", yes=yes)
    else:
        ask(f"{flow}{held}. Go on?", yes=yes)
    moved = handwork.go_live(desk.database, name, kinds, desk.who)
    with desk.read() as db:
        found = get_store(db, name)
        record = {
            "name": name,
            "live": sorted(live_kinds(found)),
            "live_since": found.live_since,
            "decided_anew": moved,
        }
    if asked is not None:
        record["products_asked_for"] = asked
    print_record(record, as_json=as_json)


def _words(text: str | None) -> tuple[str, ...]:
    return tuple(word.strip() for word in (text or "").split(",") if word.strip())


def _begin_to_shop(
    desk: Desk, name: str, kinds: tuple[str, ...], booked: str | None, flow: str, *, yes: bool
) -> int:
    """Read the shop, ask what only a person knows, tell what would change, and switch on."""
    from ops_console import going_live, shops

    with shops.shop_client(desk.settings, desk.database, desk.box, name) as client:
        try:
            found = going_live.read_shop(desk.database, client, name, kinds)
        except BridgeError as error:
            raise NotDone(f"Nothing was switched on. {error}") from error
    with desk.read() as db:
        ours = get_store(db, name)
        doubtful = [order for order in found.orders if not going_live.is_booked_by_us(db, ours, order)]
    if booked is None and doubtful and not yes:
        remark("These orders stand open in the shop:")
        for order in doubtful:
            remark(
                f"  {order.number}  {order.created_at:%Y-%m-%d}  {order.status}  {order.total} {order.currency}"
            )
        booked = click.prompt(
            "Which of them are in the books already (numbers, separated by commas; empty: none)",
            default="",
            show_default=False,
            err=True,
        )
    records, unknown = going_live.records_of(found.orders, _words(booked))
    if unknown:
        raise WrongUsage(f"--booked: {', '.join(unknown)} is no order that stands open in the shop.")
    outlook = going_live.look_ahead(desk.database, name, kinds, found, records, desk.who)
    remark(
        f"{outlook.products} products and variations were read, {outlook.matched} of them are an item of QuickBooks, "
        f"{outlook.differing} would change."
    )
    for line in outlook.largest:
        remark(f"  {line}")
    ask(f"{flow} Go on?", yes=yes)
    return going_live.begin(desk.database, name, kinds, found, records, desk.who)


@store.command()
@click.argument("name")
@json_option
@yes_option
@with_desk
def pause(desk: Desk, name: str, as_json: bool, yes: bool) -> None:
    """Stop the flow of the shop NAME. Its webhooks are kept; what was not sent is held until it is live again.

    \b
    For example:
      qbwoo store pause main
    """
    with desk.write() as db:
        held = handwork.pause(db, get_store(db, name), desk.who)
    print_record({"name": name, "live": [], "held": held}, as_json=as_json)


@store.command()
@click.argument("name")
@click.option("--url", help="Address of this service as the shop reaches it; default: QBWOO_PUBLIC_URL.")
@json_option
@yes_option
@with_desk
def connect(desk: Desk, name: str, url: str | None, as_json: bool, yes: bool) -> None:
    """Make the webhooks in the shop NAME, with our own secret, and prove that they arrive.

    \b
    For example:
      qbwoo store connect main
    """
    from ops_console import shops

    base = told_address(url, desk.settings.public_url)
    report = shops.connect(desk.settings, desk.database, desk.box, name, base)
    rows = [{"state": "ok" if line.ok else "problem", "sentence": line.text} for line in report.lines]
    print_rows(rows, ("state", "sentence"), as_json=as_json)
    if not report.ok:
        raise NotDone(f"Store {name} is not connected: see the lines above.")


@store.command()
@click.argument("name")
@json_option
@with_desk
def check(desk: Desk, name: str, as_json: bool) -> None:
    """Ask the shop NAME whether keys and webhooks are as they must be. Changes nothing.

    \b
    For example:
      qbwoo store check main
    """
    from ops_console import shops

    found = shops.look_at(desk.settings, desk.database, desk.box, name, desk.settings.public_url)
    rows = [{"what": one.what, "state": one.state, "sentence": one.sentence} for one in found]
    print_rows(rows, ("state", "what", "sentence"), as_json=as_json)
    if any(one.state == "problem" for one in found):
        raise NotDone(f"Store {name} is not as it must be.")


def _row(found: Store, company: str) -> dict[str, Any]:
    return {
        "name": found.name,
        "company": company,
        "code": found.code,
        "url": found.url,
        "live": sorted(live_kinds(found)),
        "live_since": found.live_since,
        "last_webhook_at": found.last_webhook_at,
        "refused_webhooks": found.refused_webhooks,
        "webhook_path": wsgi.WEBHOOK_PREFIX + found.name,
    }
