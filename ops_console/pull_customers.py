"""QuickBooks' customers that have an e-mail address and no account in the shop: a report, or accounts on request.

The shop writes an e-mail to everybody whose account is made, and that cannot be
switched off by whoever makes it: so it is done only where a person asks for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from ops_console.by_hand import NOT_SENT, WOULD_GO, WRITTEN, HandRun, Line
from queue_store.catalogue import bind
from queue_store.customer_orders import customers_with_email
from queue_store.models import CatalogueCustomer, Company, Store
from woo_bridge import raw
from woo_bridge.client import ShopClient
from woo_bridge.errors import ShopRefused

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_AT_ONCE = 100


class _Account(msgspec.Struct):
    email: str = ""


_account = msgspec.json.Decoder(_Account)


def emails_of(client: ShopClient) -> Iterator[int]:
    """A number for each e-mail address that has an account, equal for equal ones. Raises ShopError."""
    query = {"order": "asc", "orderby": "id", "role": "all", "_fields": "id,email"}
    for body in client.rows("customers", query):
        yield hash(_account.decode(body).email.strip().lower())


def pull_customers(
    run: HandRun, client: ShopClient, known: set[int], *, create: bool
) -> Iterator[list[Line]]:
    """One piece of lines after the other; `known` are those of `emails_of`. Raises ShopError."""
    while True:
        with run.database.read() as db:
            people = customers_with_email(db, run.company_id, after=run.place, limit=_AT_ONCE)
        if not people:
            break
        lacking = [one for one in people if hash(one.email_key) not in known and _is_wanted(run, one)]
        made = [(one, *_make(client, one)) for one in lacking] if create and not run.dry_run else []

        def work(
            db: Session,
            store: Store,
            company: Company,
            lacking: Sequence[CatalogueCustomer] = lacking,
            made: Sequence[tuple[CatalogueCustomer, int, str]] = made,
        ) -> list[Line]:
            for one, account, _sentence in made:
                if account:
                    bind(
                        db,
                        company_id=company.id,
                        store_id=store.id,
                        kind="customer",
                        key=f"customer:{account}",
                        list_id=one.list_id,
                        source="added",
                        label=f"{one.first_name} {one.last_name}".strip(),
                    )
            if made:
                return [
                    Line(
                        _named(one), WRITTEN if account else NOT_SENT, "account" if account else "", sentence
                    )
                    for one, account, sentence in made
                ]
            outcome = WOULD_GO if create else "no account"
            return [Line(_named(one), outcome, f"ListID {one.list_id}") for one in lacking]

        yield run.piece(work, people[-1].list_id, len(people))
    run.finish()


def _is_wanted(run: HandRun, one: CatalogueCustomer) -> bool:
    since = run.selection.since
    return since is None or (one.time_modified is not None and one.time_modified >= since)


def _named(one: CatalogueCustomer) -> str:
    return f"{one.first_name} {one.last_name} <{one.email_key}>".strip()


def _make(client: ShopClient, one: CatalogueCustomer) -> tuple[int, str]:
    """The account's id, 0 if there is none; and why."""
    body: dict[str, Any] = {"email": one.email_key, "first_name": one.first_name, "last_name": one.last_name}
    try:
        answer = client.call("POST", "customers", body, is_repeatable=False)
    except ShopRefused as refusal:
        # Also where the address has an account by now.
        return 0, f"The shop refused it: {refusal.message.rstrip('.')} ({refusal.code})."
    known = raw.identify(answer.body)
    return (known.id or 0) if known is not None else 0, ""
