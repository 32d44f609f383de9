"""Tax categories (places), tax codes, and the percent of each pair.

Point of Sale computes all tax itself; a caller only chooses the category of a
receipt and the code of a line. Source: protocol reference 5.5, 5.8.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from ops_sandbox.pos.books import Answer, Books
from ops_sandbox.pos.errors import RequestRefused, invalid_reference, not_found
from ops_sandbox.pos.reader import Request
from ops_sandbox.pos.shapes import shape_of
from ops_sandbox.pos.store import Record
from ops_sandbox.pos.values import Fields

TAXABLE = "Tax"
UNTAXED = "Non"
DEFAULT_CATEGORY = "Local Sales Tax"

#: Percent by tax category and tax code, of a new company.
DEFAULT_RATES: Mapping[tuple[str, str], Decimal] = {
    (DEFAULT_CATEGORY, TAXABLE): Decimal("8.25"),
    (DEFAULT_CATEGORY, UNTAXED): Decimal(0),
    ("Exempt", TAXABLE): Decimal(0),
    ("Exempt", UNTAXED): Decimal(0),
}


def set_up(books: Books, rates: Mapping[tuple[str, str], Decimal]) -> None:
    """Enter the categories, codes and percents of a new company; the first category is its default."""
    for category in dict.fromkeys(category for category, _ in rates):
        shipping = TAXABLE if (category, TAXABLE) in rates else None
        _add_category(books, {"TaxCategory": category, "ShippingTaxCode": shipping})
    for code in dict.fromkeys(code for _, code in rates):
        _add_code(books, {"POSTaxCode": code})
    for (category, code), percent in rates.items():
        set_percent(books, category, code, percent)
    books.store.meta["tax_category"] = next(iter(rates))[0]


def set_percent(books: Books, category: str, code: str, percent: Decimal) -> Record:
    """Enter what `code` means in `category`. Raises status 3140 for an unknown name."""
    place, kind = _named(books, "TaxCategory", category), _named(books, "TaxCode", code)
    fields: Fields = {
        "TaxCategoryListID": place.id,
        "TaxCategory": category,
        "POSTaxCodeListID": kind.id,
        "POSTaxCode": code,
        "TaxPercent": percent,
    }
    record_id = f"{place.id}/{kind.id}"
    known = books.store.find("TaxRecord", record_id)
    if known is None:
        return books.store.add("TaxRecord", record_id, fields)
    changed = known.changed(fields)
    books.store.put(changed)
    return changed


def category_or_refuse(books: Books, category: str | None) -> str:
    """`category`, or the company's own. Raises status 3140."""
    if not category:
        return str(books.store.meta["tax_category"])
    _named(books, "TaxCategory", category)
    return category


def percent_of(books: Books, category: str, code: str) -> Decimal:
    """Percent of tax. A pair that nobody has set is untaxed. Raises status 3140 for an unknown code."""
    place, kind = _named(books, "TaxCategory", category), _named(books, "TaxCode", code)
    record = books.store.find("TaxRecord", f"{place.id}/{kind.id}")
    return Decimal(0) if record is None else Decimal(record.fields.get("TaxPercent", 0))


def shipping_percent(books: Books, category: str) -> Decimal:
    """Percent of tax on shipping in `category`."""
    code = _named(books, "TaxCategory", category).fields.get("ShippingTaxCode")
    return percent_of(books, category, code) if code else Decimal(0)


def _named(books: Books, kind: str, name: str) -> Record:
    field = "TaxCategory" if kind == "TaxCategory" else "POSTaxCode"
    for record in books.store.all(kind):
        if record.fields[field] == name:
            return record
    raise invalid_reference(field, name)


def _add_category(books: Books, fields: Fields) -> Record:
    record_id = books.new_id()
    kept = {name: value for name, value in fields.items() if value}
    return books.store.add("TaxCategory", record_id, {"TaxCategoryListID": record_id, **kept})


def _add_code(books: Books, fields: Fields) -> Record:
    record_id = books.new_id()
    return books.store.add("TaxCode", record_id, {"POSTaxCodeListID": record_id, **fields})


def add_category(books: Books, request: Request) -> Answer:
    """TaxCategoryAddRq."""
    fields = request.values["TaxCategoryAdd"]
    _refuse_same(books, "TaxCategory", "TaxCategory", fields)
    if fields.get("ShippingTaxCode"):
        _named(books, "TaxCode", fields["ShippingTaxCode"])
    record = _add_category(books, fields)
    return Answer(body=books.writer.element("TaxCategoryRet", shape_of("TaxCategory"), record.fields))


def add_code(books: Books, request: Request) -> Answer:
    """TaxCodeAddRq."""
    fields = request.values["TaxCodeAdd"]
    _refuse_same(books, "TaxCode", "POSTaxCode", fields)
    record = _add_code(books, fields)
    return Answer(body=books.writer.element("TaxCodeRet", shape_of("TaxCode"), record.fields))


def _refuse_same(books: Books, kind: str, field: str, fields: Fields) -> None:
    if any(record.fields[field] == fields[field] for record in books.store.all(kind)):
        raise RequestRefused(3100, f'The name "{fields[field]}" of the list element is already in use.')


def modify_record(books: Books, request: Request) -> Answer:
    """TaxRecordModRq: the percent of one pair."""
    fields = request.values["TaxRecordMod"]["TaxRecord"]
    names = []
    for kind, id_field, field in (
        ("TaxCategory", "TaxCategoryListID", "TaxCategory"),
        ("TaxCode", "POSTaxCodeListID", "POSTaxCode"),
    ):
        record = books.store.find(kind, fields[id_field])
        if record is None:
            raise not_found(kind, fields[id_field])
        names.append(str(record.fields[field]))
    set_percent(books, names[0], names[1], fields.get("TaxPercent", Decimal(0)))
    return Answer()
