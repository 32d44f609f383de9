"""CompanyQuery: stores, price levels, tax categories and codes.

The way for a caller to learn them. Source: protocol reference 5.8.
"""

from __future__ import annotations

from decimal import Decimal

from ops_sandbox.pos.books import Answer, Books
from ops_sandbox.pos.orders import STATUSES
from ops_sandbox.pos.reader import Request
from ops_sandbox.pos.shapes import company_shape
from ops_sandbox.pos.values import Fields

_PRICE_LEVELS = ("Regular Price", "Employee", "Sale", "Markdown", "Wholesale")


def query_company(books: Books, request: Request) -> Answer:
    """CompanyQueryRq."""
    statuses = {
        "OrderStatusData": [{"StatusType": kind, "StatusDescription": name} for kind, name in STATUSES]
    }
    fields: Fields = {
        "IsSampleCompany": False,
        "CompanyName": books.name,
        "Address": _address(books.name),
        "StoreNumber": books.store_number,
        "StoreCode": books.store_number,
        "Store": [
            {
                "StoreNumber": store,
                "StoreCode": store,
                "StoreName": f"Store {store}",
                "Address": _address(f"Store {store}"),
            }
            for store in books.stores
        ],
        "PurchaseOrderStatusInfo": statuses,
        "LayawayStatusInfo": statuses,
        "SalesOrderStatusInfo": statuses,
        "WorkOrderStatusInfo": statuses,
        "IsUsingUnitsOfMeasure": False,
        "IsUsingIntegratedShipping": False,
        "ShippingProvider": ["Post", "Courier"],
        "TaxRecord": [record.fields for record in books.store.all("TaxRecord")],
    }
    for level, name in enumerate(_PRICE_LEVELS, start=1):
        fields[f"PriceLevel{level}"] = {"Name": name, "Markdown": Decimal(0)}
    return Answer(body=books.writer.element("CompanyRet", company_shape(), fields))


def _address(name: str) -> Fields:
    return {
        "Street": "1 Market Street",
        "CityStateZIP": "Springfield, IL 62701",
        "Misc1": name,
        "Misc2": "(217) 555-0100",
        "Misc3": "Thank you",
    }
