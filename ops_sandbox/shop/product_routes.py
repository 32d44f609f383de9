"""What answers the REST routes of products and variations."""

from __future__ import annotations

from ops_sandbox.shop import checks, listing, products
from ops_sandbox.shop.batch import run_batch
from ops_sandbox.shop.calls import RestAnswer, RestCall, created, page_answer
from ops_sandbox.shop.product_view import product_body, variation_body
from ops_sandbox.shop.site import Site
from ops_sandbox.shop.wire import Doc


def get_products(site: Site, call: RestCall) -> RestAnswer:
    listing.check_query(call.query, "products")
    found = listing.kept_list(
        site, ("products",), "products", call.query, lambda: listing.list_products(site, call.query)
    )
    return page_answer(call, found, lambda p: product_body(site, p, call.home))


def get_product(site: Site, call: RestCall, product_id: int) -> RestAnswer:
    return RestAnswer(product_body(site, products.find_product(site, product_id), call.home))


def post_product(site: Site, call: RestCall) -> RestAnswer:
    product = products.create_product(site, checks.checked(call.body, checks.PRODUCT))
    return created(product_body(site, product, call.home, edit=True))


def put_product(site: Site, call: RestCall, product_id: int) -> RestAnswer:
    body = checks.checked(call.body, checks.PRODUCT)
    product = products.update_product(site, products.find_product(site, product_id, status=400), body)
    return RestAnswer(product_body(site, product, call.home, edit=True))


def delete_product(site: Site, call: RestCall, product_id: int) -> RestAnswer:
    product = products.find_product(site, product_id)
    products.refuse_variation(product)
    if not call.force:
        products.trash_product(site, product)
        return RestAnswer(product_body(site, product, call.home, edit=True))
    body = product_body(site, product, call.home, edit=True)
    products.erase_product(site, product)
    return RestAnswer(body)


def batch_products(site: Site, call: RestCall) -> RestAnswer:
    def update(product_id: int, item: Doc) -> Doc:
        product = products.find_product(site, product_id, status=400)
        return product_body(site, products.update_product(site, product, item), call.home, edit=True)

    def erase(product_id: int) -> Doc:
        product = products.find_product(site, product_id)
        products.refuse_variation(product)
        body = product_body(site, product, call.home, edit=True)
        products.erase_product(site, product)
        return body

    def create(item: Doc) -> Doc:
        return product_body(site, products.create_product(site, item), call.home, edit=True)

    return RestAnswer(run_batch(call, create, update, erase))


def get_variations(site: Site, call: RestCall, product_id: int) -> RestAnswer:
    found = listing.list_variations(site, call.query, product_id)
    return page_answer(call, found, lambda v: variation_body(site, v, call.home))


def get_all_variations(site: Site, call: RestCall) -> RestAnswer:
    listing.check_query(call.query, "products")
    found = listing.kept_list(
        site, ("products",), "variations", call.query, lambda: listing.list_variations(site, call.query)
    )
    return page_answer(call, found, lambda v: variation_body(site, v, call.home))


def get_variation(site: Site, call: RestCall, product_id: int, variation_id: int) -> RestAnswer:
    variation = products.find_variation(site, product_id, variation_id)
    return RestAnswer(variation_body(site, variation, call.home))


def post_variation(site: Site, call: RestCall, product_id: int) -> RestAnswer:
    body = checks.checked(call.body, checks.VARIATION)
    variation = products.create_variation(site, products.find_product(site, product_id), body)
    return created(variation_body(site, variation, call.home, edit=True))


def put_variation(site: Site, call: RestCall, product_id: int, variation_id: int) -> RestAnswer:
    body = checks.checked(call.body, checks.VARIATION)
    variation = products.find_variation(site, product_id, variation_id)
    variation = products.update_variation(site, variation, body)
    return RestAnswer(variation_body(site, variation, call.home, edit=True))


def delete_variation(site: Site, call: RestCall, product_id: int, variation_id: int) -> RestAnswer:
    variation = products.find_variation(site, product_id, variation_id)
    body = variation_body(site, variation, call.home, edit=True)
    products.erase_product(site, variation)
    return RestAnswer(body)


def batch_variations(site: Site, call: RestCall, product_id: int) -> RestAnswer:
    def create(item: Doc) -> Doc:
        variation = products.create_variation(site, products.find_product(site, product_id), item)
        return variation_body(site, variation, call.home, edit=True)

    def update(variation_id: int, item: Doc) -> Doc:
        variation = products.find_variation(site, product_id, variation_id)
        return variation_body(site, products.update_variation(site, variation, item), call.home, edit=True)

    def erase(variation_id: int) -> Doc:
        variation = products.find_variation(site, product_id, variation_id)
        body = variation_body(site, variation, call.home, edit=True)
        products.erase_product(site, variation)
        return body

    return RestAnswer(run_batch(call, create, update, erase))
