"""Many records at once, for load: products and customers without a story."""

from __future__ import annotations

from ops_sandbox.shop.customers import create_customer
from ops_sandbox.shop.products import blank_product
from ops_sandbox.shop.site import Site


def add_products(site: Site, count: int, prefix: str, stock: int) -> list[str]:
    """`count` published products of 1.00 to 97.99. Gives their SKUs, "LOAD-00035"."""
    skus = []
    start = len(site.table("products"))
    for number in range(start, start + count):
        sku = f"{prefix}-{number:05d}"
        product = blank_product(site)
        price = f"{1 + number % 97}.{number % 100:02d}"
        product.update(name=f"Load item {number}", slug=f"load-item-{number}", sku=sku)
        product.update(regular_price=price, price=price, manage_stock=True, stock_quantity=stock)
        site.store.save("products", product)
        site.fire("product.published", product["id"])
        site.fire("product.created", product["id"])
        skus.append(sku)
    return skus


def add_customers(site: Site, count: int, domain: str) -> list[int]:
    """`count` registered customers, all in San Francisco. Gives their ids."""
    ids = []
    start = len(site.table("customers"))
    for number in range(start, start + count):
        names = {"first_name": f"Load{number}", "last_name": f"Customer{number}"}
        address = {
            **names,
            "address_1": f"{number} Main St",
            "city": "San Francisco",
            "state": "CA",
            "postcode": "94105",
            "country": "US",
        }
        email = f"customer{number}@{domain}"
        body = {"email": email, **names, "billing": {**address, "email": email}, "shipping": address}
        ids.append(int(create_customer(site, body)["id"]))
    return ids
