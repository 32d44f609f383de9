"""Lists: filters, order, pages and `_fields`, as every collection of the shop answers them.

Parameters that a collection does not know are ignored: they filter nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from ops_sandbox.shop.checks import COLLECTION, ORDERBY, Rule, checked, checked_statuses
from ops_sandbox.shop.customers import customer_by_email
from ops_sandbox.shop.orders import HIDDEN_STATUSES
from ops_sandbox.shop.site import Site
from ops_sandbox.shop.terms import with_children
from ops_sandbox.shop.wire import Doc, as_bool, as_int

Query = dict[str, str]

#: Parameters that say which part of a list is wanted, and how it is shown; all others make another list.
_OF_A_PAGE = frozenset({"page", "per_page", "offset", "_fields", "dp"})
_LISTS_KEPT = 8


@dataclass(frozen=True)
class Page:
    """One page of a list, and what its headers tell."""

    docs: list[Doc]
    total: int
    number: int
    pages: int


def page_of(docs: Sequence[Doc], query: Query, *, default_per_page: int = 10) -> Page:
    """Cut one page. Past the end it is empty, which is no error."""
    number = as_int(query.get("page", 1))
    size = as_int(query.get("per_page", default_per_page))
    start = as_int(query["offset"]) if "offset" in query else (number - 1) * size
    return Page(list(docs[start : start + size]), len(docs), number, math.ceil(len(docs) / size))


def page_headers(page: Page, url: str, query: Query) -> list[tuple[str, str]]:
    """X-WP-Total, X-WP-TotalPages, and Link when there is a page before or after."""
    headers = [("X-WP-Total", str(page.total)), ("X-WP-TotalPages", str(page.pages))]
    found = []
    if page.number > 1 and page.pages:
        found.append(f'<{_page_url(url, query, min(page.number - 1, page.pages))}>; rel="prev"')
    if page.number < page.pages:
        found.append(f'<{_page_url(url, query, page.number + 1)}>; rel="next"')
    return [*headers, ("Link", ", ".join(found))] if found else headers


def kept_list(
    site: Site, tables: Sequence[str], name: str, query: Query, make: Callable[[], list[Doc]]
) -> list[Doc]:
    """What `make` gives, from the last time if none of `tables` has changed since: most callers ask for
    page after page of one list. It is made anew after any change, so pages drift as on a real shop."""
    asked = (name, *sorted(item for item in query.items() if item[0] not in _OF_A_PAGE))
    versions = tuple(site.store.versions[table] for table in tables)
    known = site.lists.get(asked)
    if known is not None and known[0] == versions:
        return known[1]
    docs = make()
    site.lists.pop(asked, None)
    site.lists[asked] = (versions, docs)
    while len(site.lists) > _LISTS_KEPT:
        site.lists.pop(next(iter(site.lists)))
    return docs


def check_query(query: Query, collection: str) -> None:
    """Raises `RestError` 400 for a bad page, per_page, order or orderby."""
    checked(dict(query), {**COLLECTION, "orderby": Rule("string", ORDERBY[collection])})


def list_orders(site: Site, query: Query) -> list[Doc]:
    """The orders that GET orders finds, sorted."""
    check_query(query, "orders")
    found = by_dates(site, site.table("orders").values(), query)
    statuses = checked_statuses(query.get("status", "")) or ["any"]
    if "any" in statuses:
        found = (o for o in found if o["status"] not in HIDDEN_STATUSES or o["status"] in statuses)
    else:
        found = (o for o in found if o["status"] in statuses)
    if "customer" in query:
        found = (o for o in found if o["customer_id"] == as_int(query["customer"]))
    if "product" in query:
        product_id = as_int(query["product"])
        found = (o for o in found if any(line["product_id"] == product_id for line in o["line_items"]))
    if query.get("search"):
        found = (o for o in found if _in_order(o, query["search"].lower()))
    return in_order(by_ids(found, query), query)


def list_products(site: Site, query: Query) -> list[Doc]:
    """The products that GET products finds: drafts too, no variations, unless asked for by SKU."""
    check_query(query, "products")
    everything = site.table("products").values()
    skus = {part.strip().lower() for part in query.get("sku", "").split(",") if part.strip()}
    if skus:
        found: Iterable[Doc] = site.store.catalog.all_by_sku(skus)
    else:
        found = (p for p in everything if p["type"] != "variation")
    return in_order(_product_filters(site, found, query), query)


def list_variations(site: Site, query: Query, parent_id: int | None = None) -> list[Doc]:
    """The variations of one product, or of all."""
    check_query(query, "products")
    found: Iterable[Doc]
    if parent_id is not None:
        found = site.store.catalog.children(parent_id)
    else:
        found = (p for p in site.table("products").values() if p["type"] == "variation")
    if query.get("sku"):
        skus = {part.strip().lower() for part in query["sku"].split(",")}
        found = (p for p in found if p["sku"].lower() in skus)
    return in_order(_product_filters(site, found, query), query)


def list_customers(site: Site, query: Query) -> list[Doc]:
    """Registered customers; no dates to filter by, by name unless asked otherwise."""
    check_query(query, "customers")
    found: Iterable[Doc] = site.table("customers").values()
    if query.get("email"):
        customer = customer_by_email(site, query["email"])
        found = [customer] if customer else []
    role = query.get("role", "customer")
    found = (c for c in found if role in ("all", c["role"]))
    if query.get("search"):
        text = query["search"].lower()
        found = (
            c
            for c in found
            if text in f"{c['username']} {c['email']} {c['first_name']} {c['last_name']}".lower()
        )
    keys: dict[str, Callable[[Doc], object]] = {
        "id": lambda c: c["id"],
        "registered_date": lambda c: (c["date_created_gmt"], c["id"]),
        "name": lambda c: (c["username"].lower(), c["id"]),
    }
    key = keys.get(query.get("orderby", "name"), keys["name"])
    rows = sorted(by_ids(found, query), key=key)  # type: ignore[arg-type]  # each key is of one kind
    return rows[::-1] if query.get("order") == "desc" else rows


def by_ids(docs: Iterable[Doc], query: Query) -> Iterable[Doc]:
    """`include` and `exclude`, comma lists of ids."""
    if query.get("include"):
        wanted = _ids(query["include"])
        docs = (d for d in docs if d["id"] in wanted)
    if query.get("exclude"):
        unwanted = _ids(query["exclude"])
        docs = (d for d in docs if d["id"] not in unwanted)
    return docs


def by_dates(site: Site, docs: Iterable[Doc], query: Query) -> Iterable[Doc]:
    """after, before, modified_after, modified_before: all exclusive of the equal second."""
    gmt = as_bool(query.get("dates_are_gmt"))
    for name, key, later in (
        ("after", "date_created_gmt", True),
        ("before", "date_created_gmt", False),
        ("modified_after", "date_modified_gmt", True),
        ("modified_before", "date_modified_gmt", False),
    ):
        if query.get(name):
            limit = site.time.threshold(name, query[name], dates_are_gmt=gmt)
            docs = _beyond(docs, key, limit, later=later)
    return docs


def in_order(docs: Iterable[Doc], query: Query) -> list[Doc]:
    """Newest first unless asked otherwise; equal stamps by id."""
    if query.get("orderby") == "include":
        return sorted(docs, key=lambda d: list(_ids(query.get("include", ""))).index(d["id"]))
    keys: dict[str, str] = {"modified": "date_modified_gmt", "date": "date_created_gmt"}
    orderby = query.get("orderby", "date")
    descending = query.get("order", "desc") == "desc"
    if orderby == "title":
        return sorted(docs, key=lambda d: (str(d.get("name", "")).lower(), d["id"]), reverse=descending)
    if orderby in keys:
        stamp = keys[orderby]
        return sorted(docs, key=lambda d: (d[stamp] or "", d["id"]), reverse=descending)
    return sorted(docs, key=lambda d: d["id"], reverse=descending)


def only_fields(body: object, fields: str) -> object:
    """`_fields`: of an object, or of each object of a list, the named keys; "a.b" goes into objects only."""
    wanted = [part.strip() for part in fields.split(",") if part.strip()]
    if not wanted:
        return body
    if isinstance(body, list):
        return [_cut(item, wanted) for item in body]
    return _cut(body, wanted)


def _cut(item: object, wanted: list[str]) -> object:
    if not isinstance(item, dict):
        return item
    heads: dict[str, list[str]] = {}
    for path in wanted:
        head, _, rest = path.partition(".")
        heads.setdefault(head, []).append(rest)
    cut: Doc = {}
    for key, value in item.items():
        if key in heads:
            # Into a list no path leads: `update.id` of a batch leaves empty lists (recorded).
            deeper = [] if "" in heads[key] else heads[key]
            cut[key] = value if not deeper else [] if isinstance(value, list) else _cut(value, deeper)
    return cut


def _product_filters(site: Site, found: Iterable[Doc], query: Query) -> Iterable[Doc]:
    status = query.get("status", "any")
    if status == "any":
        found = (p for p in found if p["status"] != "trash")
    else:
        found = (p for p in found if p["status"] in status.split(","))
    if query.get("search_sku"):
        found = (p for p in found if query["search_sku"].lower() in p["sku"].lower())
    if query.get("search"):
        found = (p for p in found if query["search"].lower() in f"{p['name']} {p['description']}".lower())
    for key in ("type", "stock_status", "slug"):
        if query.get(key):
            found = _equal(found, key, query[key])
    if query.get("category"):
        found = _carrying(found, "categories", with_children(site, _ids(query["category"])))
    if query.get("tag"):
        found = _carrying(found, "tags", set(_ids(query["tag"])))
    return by_ids(by_dates(site, found, query), query)


def _carrying(docs: Iterable[Doc], key: str, wanted: set[int]) -> Iterable[Doc]:
    return [d for d in docs if any(entry["id"] in wanted for entry in d[key])]


def _equal(docs: Iterable[Doc], key: str, value: str) -> Iterable[Doc]:
    return [d for d in docs if d[key] == value]


def _beyond(docs: Iterable[Doc], key: str, limit: str, *, later: bool) -> Iterable[Doc]:
    return [d for d in docs if (d[key] > limit if later else d[key] < limit)]


def _ids(text: str) -> dict[int, None]:
    """Ids of a comma list, in its order."""
    return dict.fromkeys(as_int(part) for part in text.split(",") if part.strip())


def _in_order(order: Doc, text: str) -> bool:
    """Search looks at the number, the addresses and the names of the lines; not at meta."""
    parts = [str(order["id"]), *order["billing"].values(), *order["shipping"].values()]
    parts += [line["name"] for line in order["line_items"]]
    return any(text in part.lower() for part in parts)


def _page_url(url: str, query: Query, number: int) -> str:
    parts = {**query, "page": str(number)}
    return f"{url}?" + "&".join(f"{quote(k, safe='')}={quote(v, safe='')}" for k, v in parts.items())
