"""Categories, tags and global attributes with their terms: what products are sorted by.

Products carry them as recorded. Their own routes were not recorded, but for one
thing: renaming a category fires nothing. The rest is from WooCommerce's source.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Any

from ops_sandbox.shop.errors import RestError
from ops_sandbox.shop.product_view import slug_of
from ops_sandbox.shop.site import Site
from ops_sandbox.shop.wire import Doc, as_bool, as_int, as_text, escape_ampersands

CATEGORY, TAG = "product_cat", "product_tag"
#: What a product without a category is in.
UNCATEGORIZED: Doc = {"id": 15, "name": "Uncategorized", "slug": "uncategorized"}
_LONGEST_ATTRIBUTE = 28


def plant_term(site: Site, taxonomy: str, term_id: int, name: str, slug: str) -> Doc:
    """Keep a term under a given id."""
    site.store.reserve("term", term_id)
    return site.store.save(
        "terms",
        {
            "id": term_id,
            "taxonomy": taxonomy,
            "name": name,
            "slug": slug,
            "parent": 0,
            "description": "",
            "display": "default",
            "menu_order": 0,
        },
    )


def find_term(site: Site, taxonomy: str, term_id: int) -> Doc:
    """Raises `RestError` 404."""
    term = site.table("terms").get(term_id)
    if term is None or term["taxonomy"] != taxonomy:
        raise RestError("woocommerce_rest_term_invalid", "Resource does not exist.", 404)
    return term


def terms_of(site: Site, taxonomy: str) -> list[Doc]:
    """All terms of a taxonomy, by name."""
    found = [term for term in site.table("terms").values() if term["taxonomy"] == taxonomy]
    return sorted(found, key=_by_name)


def with_children(site: Site, ids: Iterable[int]) -> set[int]:
    """These categories and all that lie below them: a list of one category holds its children's products."""
    found = set(ids)
    waiting = list(found)
    while waiting:
        parent = waiting.pop()
        below = {term["id"] for term in site.table("terms").values() if term["parent"] == parent} - found
        found |= below
        waiting += below
    return found


def create_term(site: Site, taxonomy: str, body: Doc) -> Doc:
    """A new term. Raises `RestError` 400 without a name, and for a name that its parent has already."""
    name = escape_ampersands(as_text(body.get("name")).strip())
    if not name:
        raise RestError(
            "rest_missing_callback_param", "Missing parameter(s): name", 400, extra={"params": ["name"]}
        )
    parent = as_int(body.get("parent"))
    if parent and taxonomy != CATEGORY:
        raise RestError(
            "woocommerce_rest_taxonomy_not_hierarchical",
            "Can not set resource parent, taxonomy is not hierarchical.",
            400,
        )
    if parent and site.table("terms").get(parent, {}).get("taxonomy") != taxonomy:
        raise RestError("missing_parent", "Parent term does not exist.", 400)
    _refuse_double(site, taxonomy, name, parent, own_id=0)
    slug = as_text(body.get("slug")) or _slug(name)
    term = plant_term(
        site, taxonomy, site.store.next_id("term"), name, _free_slug(site, taxonomy, slug, parent)
    )
    term["parent"] = parent
    _set_fields(term, body)
    return site.store.save("terms", term)


def update_term(site: Site, term: Doc, body: Doc) -> Doc:
    """Change a term; products show the new name, and nothing fires (recorded)."""
    name = escape_ampersands(as_text(body.get("name")).strip()) or term["name"]
    parent = as_int(body["parent"]) if body.get("parent") is not None else term["parent"]
    _refuse_double(site, term["taxonomy"], name, parent, own_id=term["id"])
    term.update(name=name, parent=parent)
    if body.get("slug"):
        term["slug"] = as_text(body["slug"])
    _set_fields(term, body)
    site.store.save("terms", term)
    for product, key in _carriers(site, term):
        product[key] = chosen(site, term["taxonomy"], product[key])
        site.store.save("products", product)
    return term


def delete_term(site: Site, term: Doc) -> None:
    """Gone, also from its products, of which one without any other category is uncategorized then."""
    if term["taxonomy"] == CATEGORY and term["id"] == UNCATEGORIZED["id"]:
        raise RestError("woocommerce_rest_cannot_delete", "Default product category cannot be deleted.", 500)
    carriers = _carriers(site, term)
    site.store.remove("terms", term["id"])
    for product, key in carriers:
        product[key] = chosen(site, term["taxonomy"], product[key])
        site.store.save("products", product)


def count_of(site: Site, term: Doc) -> int:
    """Published products that carry it."""
    if term["taxonomy"] in (CATEGORY, TAG):
        return sum(product["status"] == "publish" for product, _ in _carriers(site, term))
    return sum(
        product["status"] == "publish"
        and any(
            a.get("slug") == term["taxonomy"] and term["name"] in a.get("options", ())
            for a in product["attributes"]
        )
        for product in site.table("products").values()
    )


def chosen(site: Site, taxonomy: str, wanted: list[Any]) -> list[Doc]:
    """The categories or tags of a product: those of `wanted` that exist, by name.

    They are named by id; an entry without a known one is passed over. No category left is Uncategorized.
    """
    ids = dict.fromkeys(as_int(entry.get("id") if isinstance(entry, dict) else entry) for entry in wanted)
    table = site.table("terms")
    found = [table[one] for one in ids if one in table and table[one]["taxonomy"] == taxonomy]
    if not found and taxonomy == CATEGORY:
        return [dict(UNCATEGORIZED)]
    return [{key: term[key] for key in ("id", "name", "slug")} for term in sorted(found, key=_by_name)]


def chosen_tags(site: Site, wanted: list[Any]) -> list[Doc]:
    """The tags of a product: by id, or by a name, which makes the tag where there is none."""
    named = [
        _term_of(site, TAG, as_text(one["name"])) if isinstance(one, dict) and one.get("name") else one
        for one in wanted
    ]
    return chosen(site, TAG, named)


def product_attributes(site: Site, wanted: list[Any]) -> list[Doc]:
    """The attributes of a product as a request asks for them.

    One with the id of a global attribute takes its name, and makes the terms that its options lack; any
    other is the product's own, by name. One that names no options is passed over, a global one also if
    they are empty.
    """
    made: list[Doc] = []
    for entry in wanted:
        if not isinstance(entry, dict):
            continue
        given = entry.get("options")
        if given is None:
            continue
        texts = [
            as_text(one).strip() for one in (given if isinstance(given, list) else str(given).split("|"))
        ]
        options = [text for text in texts if text]
        attribute = site.table("attributes").get(as_int(entry.get("id")))
        name = attribute["name"] if attribute else as_text(entry.get("name"))
        if not name or (as_int(entry.get("id")) and (attribute is None or not options)):
            continue
        if attribute:
            names = {_term_of(site, attribute["slug"], option)["name"] for option in options}
            options = sorted(names, key=str.lower)
        made.append(
            {
                "id": attribute["id"] if attribute else 0,
                "name": name,
                "slug": attribute["slug"] if attribute else name,
                "position": as_int(entry.get("position")),
                "visible": as_bool(entry.get("visible")),
                "variation": as_bool(entry.get("variation")),
                "options": options,
            }
        )
    return sorted(made, key=lambda attribute: int(attribute["position"]))


# Global attributes


def find_attribute(site: Site, attribute_id: int) -> Doc:
    """Raises `RestError` 404."""
    attribute = site.table("attributes").get(attribute_id)
    if attribute is None:
        raise RestError("woocommerce_rest_taxonomy_invalid", "Resource does not exist.", 404)
    return attribute


def create_attribute(site: Site, body: Doc) -> Doc:
    """A new global attribute; its terms' taxonomy is its slug, "pa_color". Raises `RestError` 400."""
    name = as_text(body.get("name")).strip()
    if not name:
        raise _attribute_refused("create", "Please, provide an attribute name.")
    slug = _slug(as_text(body.get("slug")) or name).removeprefix("pa_")
    _check_attribute_slug(site, slug, "create", own_id=0)
    attribute: Doc = {
        "id": site.store.next_id("attribute"),
        "name": name,
        "slug": f"pa_{slug}",
        "type": as_text(body.get("type")) or "select",
        "order_by": as_text(body.get("order_by")) or "menu_order",
        "has_archives": as_bool(body.get("has_archives")),
    }
    return site.store.save("attributes", attribute)


def update_attribute(site: Site, attribute: Doc, body: Doc) -> Doc:
    """Change a global attribute; its slug stays, as products and terms hang on it."""
    for key in ("name", "type", "order_by"):
        if body.get(key):
            attribute[key] = as_text(body[key])
    if body.get("has_archives") is not None:
        attribute["has_archives"] = as_bool(body["has_archives"])
    return site.store.save("attributes", attribute)


def delete_attribute(site: Site, attribute: Doc) -> None:
    """Gone with its terms."""
    for term in terms_of(site, attribute["slug"]):
        site.store.remove("terms", term["id"])
    site.store.remove("attributes", attribute["id"])


def _term_of(site: Site, taxonomy: str, name: str) -> Doc:
    """The term of this name, made where there is none."""
    known = next(
        (t for t in terms_of(site, taxonomy) if t["name"].lower() == escape_ampersands(name).lower()), None
    )
    return known or create_term(site, taxonomy, {"name": name})


def _carriers(site: Site, term: Doc) -> list[tuple[Doc, str]]:
    key = {CATEGORY: "categories", TAG: "tags"}.get(term["taxonomy"])
    if key is None:
        return []
    products = site.table("products").values()
    return [(one, key) for one in products if any(entry["id"] == term["id"] for entry in one[key])]


def _set_fields(term: Doc, body: Doc) -> None:
    for key in ("description", "display"):
        if body.get(key) is not None:
            term[key] = as_text(body[key])
    if body.get("menu_order") is not None:
        term["menu_order"] = as_int(body["menu_order"])


def _refuse_double(site: Site, taxonomy: str, name: str, parent: int, *, own_id: int) -> None:
    for term in site.table("terms").values():
        same = term["taxonomy"] == taxonomy and term["parent"] == parent and term["id"] != own_id
        if same and term["name"].lower() == name.lower():
            where = "with this parent" if taxonomy == CATEGORY else "in this taxonomy"
            message = f"A term with the name provided already exists {where}."
            raise RestError("term_exists", message, 400, extra={"resource_id": term["id"]})


def _free_slug(site: Site, taxonomy: str, slug: str, parent: int) -> str:
    taken = {term["slug"] for term in site.table("terms").values() if term["taxonomy"] == taxonomy}
    if slug in taken and parent:
        slug = f"{slug}-{site.table('terms')[parent]['slug']}"
    free, number = slug, 2
    while free in taken:
        free, number = f"{slug}-{number}", number + 1
    return free


def _check_attribute_slug(site: Site, slug: str, deed: str, *, own_id: int) -> None:
    if len(slug) > _LONGEST_ATTRIBUTE:
        raise _attribute_refused(
            deed, f'Slug "{slug}" is too long ({_LONGEST_ATTRIBUTE} characters max). Shorten it, please.'
        )
    for attribute in site.table("attributes").values():
        if attribute["slug"] == f"pa_{slug}" and attribute["id"] != own_id:
            raise _attribute_refused(deed, f'Slug "{slug}" is already in use. Change it, please.')


def _attribute_refused(deed: str, message: str) -> RestError:
    return RestError(f"woocommerce_rest_cannot_{deed}", message, 400)


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name)
    return slug_of("".join(letter for letter in plain if not unicodedata.combining(letter)))


def _by_name(term: Doc) -> tuple[str, int]:
    return term["name"].lower(), term["id"]
