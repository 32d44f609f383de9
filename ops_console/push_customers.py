"""Shop accounts to QuickBooks by hand: those that it lacks are added, those that it has are changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from ops_console.by_hand import NOT_SENT, ON_ITS_WAY, SENT, UNCHANGED, HandRun, Line
from qbwc_service.flavours.pos.customers import account_customer_id
from queue_store.catalogue import KnownCustomer, bind
from queue_store.customer_orders import are_customers_read, list_ids_of, order_customer, same_email
from queue_store.erasures import is_erased
from queue_store.intake import Incoming, Taken
from queue_store.models import Company, Store
from queue_store.payloads import Customer, encode
from queue_store.settings import company_settings
from queue_store.shop_work import take_in_change
from woo_bridge import raw
from woo_bridge.answers import decoded
from woo_bridge.client import ShopClient
from woo_bridge.errors import Untranslatable
from woo_bridge.paging import OVERLAP, PER_PAGE
from woo_bridge.receive import CHANGE_CUSTOMER
from woo_bridge.translate_customers import customer_fingerprint, translate_customer

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_rows = msgspec.json.Decoder(list[msgspec.Raw])
_SENT = frozenset((Taken.NEW, Taken.REPLACED, Taken.BESIDE, Taken.SAME_SECOND))


def push_customers(run: HandRun, client: ShopClient) -> Iterator[list[Line]]:
    """One piece of lines after the other. Raises ShopError."""
    for customers, refused, place, count in _pages(run, client):

        def work(
            db: Session,
            store: Store,
            company: Company,
            customers: Sequence[Customer] = customers,
            refused: Sequence[Line] = refused,
        ) -> list[Line]:
            return [*refused, *_take(db, store, company, customers, run.cause)]

        yield run.piece(work, place, count)
    run.finish()


def _pages(run: HandRun, client: ShopClient) -> Iterator[tuple[list[Customer], list[Line], str, int]]:
    ids = sorted(run.selection.ids)
    # The last account that was seen: pages overlap, since an account that is deleted lets all behind it move up.
    start, last = (int(part) for part in (run.place or "0:0").split(":"))
    while True:
        query = {"order": "asc", "orderby": "id", "role": "all", "per_page": str(PER_PAGE)}
        some = ids[start : start + PER_PAGE]
        if ids and not some:
            return
        query |= {"include": ",".join(map(str, some))} if ids else {"offset": str(start)}
        answer = client.call("GET", "customers", query=query)
        bodies = [bytes(row) for row in decoded("GET customers", answer.body, _rows)]
        customers, refused = _translated(bodies)
        missing = set(some) - {number for number, _ in customers} - {number for number, _ in refused}
        lines = [line for number, line in refused if number > last or ids]
        lines += [
            Line(f"customer {number}", NOT_SENT, sentence="The shop has no account of this id.")
            for number in sorted(missing)
        ]
        fresh = [one for number, one in customers if number > last or ids]
        since = run.selection.since
        chosen = [one for one in fresh if not since or one.modified_at is None or one.modified_at >= since]
        start += PER_PAGE if ids else PER_PAGE - OVERLAP
        last = max([last, *(number for number, _ in customers)])
        yield chosen, lines, f"{start}:{last}", len(fresh) + len(lines)
        if not ids and len(bodies) < PER_PAGE:
            return


def _translated(
    bodies: Sequence[bytes],
) -> tuple[list[tuple[int, Customer]], list[tuple[int, Line]]]:
    """Accounts, and those that cannot be read, with their ids."""
    customers: list[tuple[int, Customer]] = []
    refused: list[tuple[int, Line]] = []
    for body in bodies:
        try:
            one = translate_customer(body)
            customers.append((one.customer_id, one))
        except Untranslatable as problem:
            known = raw.identify(body)
            number = known.id if known is not None and known.id is not None else 0
            refused.append((number, Line(problem.record, NOT_SENT, sentence=str(problem))))
    return customers, refused


def _take(
    db: Session, store: Store, company: Company, customers: Sequence[Customer], cause: str
) -> Iterator[Line]:
    mapped = list_ids_of(db, company.id, store.id, customers)
    alike = same_email(db, company.id, [one.email for one in customers])
    head = f"{company_settings(db, company)['documents.prefix']}{store.code}"
    is_read = are_customers_read(db, company.id)
    for one in customers:
        name = f"customer {one.customer_id} {one.email}".strip()
        people: list[KnownCustomer] = alike.get(one.email, []) if one.email else []
        if is_erased(db, company.id, one.email):
            yield Line(
                f"customer {one.customer_id}",
                NOT_SENT,
                sentence="This person was erased (qbwoo privacy erase), and has ordered nothing since.",
            )
            continue
        list_id = mapped.get(one.customer_id) or (people[0].list_id if len(people) == 1 else "")
        if not list_id and len(people) > 1:
            sentence = f"Several customers of QuickBooks have this e-mail address; map the right one: qbwoo mapping set customer {one.email} -- LISTID"
            yield Line(name, NOT_SENT, sentence=sentence)
        elif list_id:
            yield _change(db, store, one, name, list_id)
        elif not is_read:
            sentence = "QuickBooks' customers were not read to their end yet: it cannot be told whether it has this one. Let the Web Connector run, with pull.customers_minutes above 0."
            yield Line(name, NOT_SENT, sentence=sentence)
        elif not (one.email or one.last_name or one.company):
            yield Line(name, NOT_SENT, sentence="It has neither a name nor an e-mail address.")
        else:
            activity, is_new = order_customer(
                db,
                company_id=company.id,
                record_id=account_customer_id(one.customer_id, head),
                customer=one,
                cause=cause,
            )
            yield Line(name, SENT if is_new else ON_ITS_WAY, "added", activity.sentence, activity.id)


def _change(db: Session, store: Store, one: Customer, name: str, list_id: str) -> Line:
    bind(
        db,
        company_id=store.company_id,
        store_id=store.id,
        kind="customer",
        key=f"customer:{one.customer_id}",
        list_id=list_id,
        source="matched",
        label=f"{one.first_name} {one.last_name}".strip(),
    )
    taken, activity = take_in_change(
        db,
        Incoming(
            company_id=store.company_id,
            store_id=store.id,
            kind=CHANGE_CUSTOMER,
            record_id=str(one.customer_id),
            reference=(one.email or f"customer {one.customer_id}")[:120],
            payload=encode(one),
            fingerprint=customer_fingerprint(one),
            modified_at=one.modified_at,
        ),
    )
    if taken in _SENT:
        return Line(name, SENT, "changed", activity.sentence, activity.id)
    return Line(name, UNCHANGED, sentence=activity.sentence)
