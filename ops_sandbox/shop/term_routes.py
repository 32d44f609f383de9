"""What answers the REST routes of categories, tags and global attributes."""

from __future__ import annotations

from collections.abc import Callable

from ops_sandbox.shop import checks, listing, terms
from ops_sandbox.shop.batch import run_batch
from ops_sandbox.shop.calls import RestAnswer, RestCall, created, page_answer
from ops_sandbox.shop.errors import RestError
from ops_sandbox.shop.order_view import links
from ops_sandbox.shop.site import Site
from ops_sandbox.shop.wire import Doc, as_bool, as_int

Handler = Callable[..., RestAnswer]

_TAG_KEYS = ("id", "name", "slug", "description")


def _category_body(site: Site, term: Doc, home: str, base: str) -> Doc:
    keys = ("id", "name", "slug", "parent", "description", "display")
    body = {key: term[key] for key in keys}
    body |= {"image": None, "menu_order": term["menu_order"], "count": terms.count_of(site, term)}
    body["_links"] = links(home, f"{base}/{term['id']}", base)
    if term["parent"]:
        body["_links"]["up"] = [{"href": f"{home}/wp-json/wc/v3{base}/{term['parent']}"}]
    return body


def _term_body(site: Site, term: Doc, home: str, base: str) -> Doc:
    if term["taxonomy"] == terms.CATEGORY:
        return _category_body(site, term, home, base)
    body = {key: term[key] for key in _TAG_KEYS}
    if term["taxonomy"] != terms.TAG:
        body["menu_order"] = term["menu_order"]
    body["count"] = terms.count_of(site, term)
    body["_links"] = links(home, f"{base}/{term['id']}", base)
    return body


def _attribute_body(attribute: Doc, home: str) -> Doc:
    base = "/products/attributes"
    return {**attribute, "_links": links(home, f"{base}/{attribute['id']}", base)}


def _listed(site: Site, call: RestCall, taxonomy: str, base: str) -> RestAnswer:
    query = call.query
    listing.check_query(query, "terms")
    found = list(listing.by_ids(terms.terms_of(site, taxonomy), query))
    if query.get("search"):
        found = [term for term in found if query["search"].lower() in term["name"].lower()]
    if query.get("slug"):
        found = [term for term in found if term["slug"] == query["slug"]]
    if "parent" in query and taxonomy == terms.CATEGORY:
        found = [term for term in found if term["parent"] == as_int(query["parent"])]
    if as_bool(query.get("hide_empty")):
        found = [term for term in found if terms.count_of(site, term)]
    if query.get("product"):
        product = site.table("products").get(as_int(query["product"]), {"categories": [], "tags": []})
        carried = {entry["id"] for key in ("categories", "tags") for entry in product[key]}
        found = [term for term in found if term["id"] in carried]
    if query.get("orderby") in ("id", "slug", "description"):
        found.sort(key=lambda term: term[query["orderby"]])
    if query.get("order") == "desc":
        found.reverse()
    return page_answer(call, found, lambda term: _term_body(site, term, call.home, base))


def _refuse_trash(call: RestCall) -> None:
    if not call.force:
        raise RestError("woocommerce_rest_trash_not_supported", "Resource does not support trashing.", 501)


def _erased(site: Site, taxonomy: str, base: str, home: str, term_id: int) -> Doc:
    term = terms.find_term(site, taxonomy, term_id)
    body = _term_body(site, term, home, base)
    terms.delete_term(site, term)
    return body


def _batched(site: Site, call: RestCall, taxonomy: str, base: str) -> RestAnswer:
    home = call.home

    def change(term_id: int, item: Doc) -> Doc:
        term = terms.update_term(site, terms.find_term(site, taxonomy, term_id), item)
        return _term_body(site, term, home, base)

    return RestAnswer(
        run_batch(
            call,
            lambda item: _term_body(site, terms.create_term(site, taxonomy, item), home, base),
            change,
            lambda term_id: _erased(site, taxonomy, base, home, term_id),
        )
    )


def _term_routes(
    base: str, where: Callable[[Site, dict[str, int]], tuple[str, str]]
) -> list[tuple[str, dict[str, Handler]]]:
    """List, item and batch of one taxonomy; `where` gives it and the path of its list."""

    def get_all(site: Site, call: RestCall, **ids: int) -> RestAnswer:
        return _listed(site, call, *where(site, ids))

    def post(site: Site, call: RestCall, **ids: int) -> RestAnswer:
        taxonomy, path = where(site, ids)
        term = terms.create_term(site, taxonomy, checks.checked(call.body, checks.TERM))
        return created(_term_body(site, term, call.home, path))

    def get_one(site: Site, call: RestCall, term_id: int, **ids: int) -> RestAnswer:
        taxonomy, path = where(site, ids)
        return RestAnswer(_term_body(site, terms.find_term(site, taxonomy, term_id), call.home, path))

    def put(site: Site, call: RestCall, term_id: int, **ids: int) -> RestAnswer:
        taxonomy, path = where(site, ids)
        body = checks.checked(call.body, checks.TERM)
        term = terms.update_term(site, terms.find_term(site, taxonomy, term_id), body)
        return RestAnswer(_term_body(site, term, call.home, path))

    def delete(site: Site, call: RestCall, term_id: int, **ids: int) -> RestAnswer:
        taxonomy, path = where(site, ids)
        _refuse_trash(call)
        return RestAnswer(_erased(site, taxonomy, path, call.home, term_id))

    def batch(site: Site, call: RestCall, **ids: int) -> RestAnswer:
        return _batched(site, call, *where(site, ids))

    return [
        (base, {"GET": get_all, "POST": post}),
        (f"{base}/batch", {"PUT": batch}),
        (f"{base}/<term_id>", {"GET": get_one, "PUT": put, "DELETE": delete}),
    ]


def get_attributes(site: Site, call: RestCall) -> RestAnswer:
    """All of them, unpaged."""
    found = sorted(site.table("attributes").values(), key=lambda one: str(one["name"]).lower())
    headers = [("X-WP-Total", str(len(found))), ("X-WP-TotalPages", "1")]
    return RestAnswer([_attribute_body(one, call.home) for one in found], headers=headers)


def post_attribute(site: Site, call: RestCall) -> RestAnswer:
    attribute = terms.create_attribute(site, checks.checked(call.body, checks.ATTRIBUTE))
    return created(_attribute_body(attribute, call.home))


def get_attribute(site: Site, call: RestCall, attribute_id: int) -> RestAnswer:
    return RestAnswer(_attribute_body(terms.find_attribute(site, attribute_id), call.home))


def put_attribute(site: Site, call: RestCall, attribute_id: int) -> RestAnswer:
    body = checks.checked(call.body, checks.ATTRIBUTE)
    attribute = terms.update_attribute(site, terms.find_attribute(site, attribute_id), body)
    return RestAnswer(_attribute_body(attribute, call.home))


def delete_attribute(site: Site, call: RestCall, attribute_id: int) -> RestAnswer:
    attribute = terms.find_attribute(site, attribute_id)
    _refuse_trash(call)
    body = _attribute_body(attribute, call.home)
    terms.delete_attribute(site, attribute)
    return RestAnswer(body)


def _of_attribute(site: Site, ids: dict[str, int]) -> tuple[str, str]:
    attribute = terms.find_attribute(site, ids["attribute_id"])
    return attribute["slug"], f"/products/attributes/{attribute['id']}/terms"


def routes() -> list[tuple[str, dict[str, Handler]]]:
    """Paths below /wp-json/wc/v3 and their handlers by method."""
    return [
        *_term_routes("/products/categories", lambda site, ids: (terms.CATEGORY, "/products/categories")),
        *_term_routes("/products/tags", lambda site, ids: (terms.TAG, "/products/tags")),
        ("/products/attributes", {"GET": get_attributes, "POST": post_attribute}),
        (
            "/products/attributes/<attribute_id>",
            {"GET": get_attribute, "PUT": put_attribute, "DELETE": delete_attribute},
        ),
        *_term_routes("/products/attributes/<attribute_id>/terms", _of_attribute),
    ]
