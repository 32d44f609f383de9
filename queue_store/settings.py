"""Company and store settings: rows, read per transaction, each with a word of explanation.

A value is text in the table and is parsed here, once. Changing one renews the
`settings_version` of its company or store, so that what was prepared under the
old value is prepared anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from queue_store.errors import BadSetting
from queue_store.ids import new_id
from queue_store.models import AuditEntry, Company, CompanySetting, Exchange, Store, StoreSetting
from queue_store.prebuilt import run_prebuilt
from queue_store.setting_tables import (
    TENDERS,
    BadForm,
    DocumentTable,
    read_documents,
    read_names,
    read_rates,
    read_skus,
    read_statuses,
    read_tenders,
    receipts_for,
)
from queue_store.tax_rates import forget_tax_rates


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: how its text is read, its default, and what it does."""

    key: str
    default: str
    parse: Callable[[str], Any]
    explanation: str
    #: What a value must look like, for the sentence when it does not.
    form: str = ""


def _words(value: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in value.split(",") if word.strip())


def _boolean(value: str) -> bool:
    folded = value.strip().lower()
    if folded in {"true", "yes", "on", "1"}:
        return True
    if folded in {"false", "no", "off", "0"}:
        return False
    raise ValueError(value)


def _moment(value: str) -> datetime | None:
    if not value:
        return None
    moment = datetime.fromisoformat(value)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _among(*allowed: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value not in allowed:
            raise ValueError(value)
        return value

    return parse


def _between(least: int, most: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        number = int(value)
        if not least <= number <= most:
            raise ValueError(value)
        return number

    return parse


def _text(longest: int, *, least: int = 0) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if not least <= len(value) <= longest:
            raise ValueError(value)
        return value

    return parse


def _keys(value: str) -> tuple[str, ...]:
    keys = _words(value.upper())
    if not keys or not set(keys) <= {"ALU", "UPC", "ITEMNUMBER"} or len(set(keys)) < len(keys):
        raise ValueError(value)
    return keys


def _number(value: str) -> int | None:
    return int(value) if value else None


def _currency(value: str) -> str:
    if value and not (len(value) == 3 and value.isalpha() and value.isupper()):
        raise ValueError(value)
    return value


def _prefix(value: str) -> str:
    if not (1 <= len(value) <= 3 and value.isalnum() and value.isascii()):
        raise ValueError(value)
    return value


def _table(*settings: Setting) -> Mapping[str, Setting]:
    return {setting.key: setting for setting in settings}


COMPANY_SETTINGS = _table(
    Setting("currency", "USD", _currency, "Currency of the company file; orders in another are refused.", "USD"),
    Setting("currency.rates", "", read_rates, "What one of another currency is worth in the company's: its orders are converted at it.", "EUR=1.0835, separated by commas"),
    Setting("tax.mode", "line", _among("line", "flavour"), "How sales tax is written: the shop's exact tax as a line, or by QuickBooks' own categories and codes.", "line or flavour"),
    Setting("tax.rounding", "line", _among("line", "receipt"), "Whether QuickBooks rounds its tax on each line or once on the receipt.", "line or receipt"),
    Setting("tax.half", "up", _among("up", "even"), "How QuickBooks rounds half a cent of tax: up, or to the even cent.", "up or even"),
    Setting("tax.beyond", "line", _among("line", "refuse"), "An order whose tax QuickBooks would compute otherwise goes with the tax as a line, or is refused.", "line or refuse"),
    Setting("documents.stopped", "false", _boolean, "True: no document is sent, until you look and set it to false.", "true or false"),
    Setting("documents.prefix", "W", _prefix, "First letters of every mark in QuickBooks, 1 to 3.", "1 to 3 letters or digits"),
    Setting("documents.store_number", "", _number, "POS store that web sales belong to; empty: the one POS is set to.", "a number"),
    Setting("documents.workstation", "", _number, "Workstation that receipts name; empty: none.", "a number"),
    Setting("documents.cashier", "", _text(16), "Cashier that receipts name; empty: the one who is logged in.", "at most 16 characters"),
    Setting("documents.associate", "", _text(40), "Associate that receipts name; empty: none.", "at most 40 characters"),
    Setting("documents.price_level", "", _among("", "1", "2", "3", "4", "5"), "Price level that receipts name (their prices are the shop's all the same); empty: none.", "1 to 5, or empty"),
    Setting("documents.ship_date", "none", _among("none", "ordered", "paid", "completed", "shipped"), "Which day a receipt names as that of shipping; shipped: as a tracking plugin notes it, else the day of completion.", "none, ordered, paid, completed or shipped"),
    Setting("documents.ship_by", "method", _among("none", "method", "carrier"), "What a receipt names as ShipBy: the shop's shipping method, or the carrier that a tracking plugin notes (else the method).", "none, method or carrier"),
    Setting("documents.note_length", "500", _between(0, 1500), "How much of a customer's note goes into the comments; 0: nothing.", "0 to 1500"),
    Setting("tenders", "", read_tenders, "Tender for each payment gateway, such as stripe=CreditCard:Visa, cheque=Check, cod=Cash, *=Account; none= is an order without gateway, *= any other.", "GATEWAY=TENDER, separated by commas"),
    Setting("documents.tender", "CreditCard", _among(*TENDERS, "refuse"), "Tender of gateways that `tenders` does not name; refuse: their orders are refused.", f"{', '.join(TENDERS)} or refuse"),
    Setting("documents.card_name", "Web Shop", _text(16, least=1), "Card name of a CreditCard tender.", "1 to 16 characters"),
    Setting("documents.date", "ordered", _among("ordered", "paid", "completed"), "Which day of the order a receipt carries, in the shop's zone.", "ordered, paid or completed"),
    Setting("items.keys", "ALU,UPC", _keys, "Fields of a QuickBooks item that hold the shop's SKU, in order.", "ALU, UPC, ItemNumber, separated by commas"),
    Setting("items.missing", "refuse", _among("create", "refuse", "fallback"), "What to do with a SKU that QuickBooks does not know.", "create, refuse or fallback"),
    Setting("items.fallback", "", _text(20), "Name of the item for lines without SKU (and unknown ones with items.missing fallback); empty: refused.", "at most 20 characters"),
    Setting("items.department", "Online", _text(30, least=1), "Department of items that we make in QuickBooks.", "1 to 30 characters"),
    Setting("items.new_tax_code", "", _text(20), "Tax code of a product's item that we make; empty: QuickBooks' default.", "a tax code"),
    Setting("lines.tax", "Online Sales Tax", _text(20, least=1), "Item of the line that carries the tax.", "1 to 20 characters"),
    Setting("lines.shipping", "Online Shipping", _text(20, least=1), "Item of shipping lines.", "1 to 20 characters"),
    Setting("lines.fee", "Online Fee", _text(20, least=1), "Item of fee lines.", "1 to 20 characters"),
    Setting("lines.tip", "Online Tip", _text(20, least=1), "Item of fee lines that are tips.", "1 to 20 characters"),
    Setting("lines.tip_names", "tip, tips, gratuity", read_names, "Words that make a fee a tip.", "words separated by commas"),
    Setting("lines.gift_card", "Online Gift Card", _text(20, least=1), "Item of gift cards sold, and of those redeemed where they are lines; its account is the liability.", "1 to 20 characters"),
    Setting("gift_cards.skus", "", read_skus, "SKUs of products that are gift cards; a * at the end stands for any ending.", "SKUs separated by commas"),
    Setting("gift_cards.names", "", read_names, "Words in a product's name that make it a gift card.", "words separated by commas"),
    Setting("gift_cards.fees", "gift card, gift cards, gift certificate, store credit", read_names, "Words that make a negative fee a redeemed gift card.", "words separated by commas"),
    Setting("gift_cards.redeemed", "line", _among("line", "tender"), "A redeemed gift card is a negative line, or a tender of kind Gift.", "line or tender"),
    Setting("bundles", "lines", _among("lines", "parent", "parts"), "A bundle goes as the shop lists it, as one line with the price of all, or as its parts with the price shared out.", "lines, parent or parts"),
    Setting("lines.rounding", "Online Rounding", _text(20, least=1), "Item of the line that carries a rounding difference.", "1 to 20 characters"),
    Setting("lines.refund", "Online Refund", _text(20, least=1), "Item of what a refund gives back beside goods put back on the shelf.", "1 to 20 characters"),
    Setting("lines.tax_code", "Non", _text(20, least=1), "Tax code of lines that QuickBooks must not tax.", "a tax code"),
    Setting("lines.negative", "price", _among("price", "quantity"), "How a negative line is spelt: Qty 1 with a negative Price, or Qty -1.", "price or quantity"),
    Setting("returns.signs", "positive", _among("positive", "negative"), "Signs of quantities and tenders on a return, as Point of Sale wants them.", "positive or negative"),
    Setting("customers.mode", "match", _among("match", "one", "store"), "Whose receipts they are: the buyer's, one named customer's, or one named customer's of each shop.", "match, one or store"),
    Setting("customers.unknown", "fallback", _among("fallback", "refuse"), "A guest without e-mail: the named customer stands in, or the order is refused.", "fallback or refuse"),
    Setting("customers.fallback", "Online Customer", _text(30, least=1), "Customer of sales whose buyer cannot be told or is ambiguous.", "1 to 30 characters"),
    Setting("reconcile.daily", "true", _boolean, "Each day the receipts of the last days are held against the shop's orders.", "true or false"),
    Setting("reconcile.hour", "3", _between(0, 23), "Hour of the daily reconciliation, by the shop's own clock.", "0 to 23"),
    Setting("reconcile.days", "7", _between(1, 366), "Days that the daily reconciliation looks back on.", "1 to 366"),
    Setting("reversals.shown", "unknown", _among("unknown", "status", "copy"), "How this QuickBooks shows that a receipt was reversed; found out by company calibrate.", "unknown, status or copy"),
    Setting("retry.base_seconds", "120", _between(1, 86_400), "First wait before a failed transport is tried again; doubles up to an hour.", "1 to 86400"),
    Setting("pace.start", "5", _between(1, 500), "Requests in the first message set.", "1 to 500"),
    Setting("pace.most", "50", _between(1, 500), "Requests in a message set at most.", "1 to 500"),
    Setting("pace.target_seconds", "20", _between(1, 3600), "Time that QuickBooks may take over a set before sets are made smaller.", "1 to 3600"),
    Setting("session.minutes", "30", _between(1, 1440), "Longest Web Connector session.", "1 to 1440"),
    Setting("session.takeover_minutes", "15", _between(1, 1440), "Age of an unanswered set after which another address may take over.", "1 to 1440"),
    Setting("pull.items_minutes", "1440", _between(0, 100_000), "How often changed items are read; 0: never by itself.", "0 or more"),
    Setting("pull.customers_minutes", "1440", _between(0, 100_000), "How often changed customers are read; 0: never by itself.", "0 or more"),
    Setting("pull.page", "200", _between(10, 1000), "Records in one page of a long reading.", "10 to 1000"),
    Setting("qwc.minutes", "5", _between(1, 1440), "How often the Web Connector runs, as written into the .qwc.", "1 to 1440"),
)  # fmt: skip

STORE_SETTINGS = _table(
    Setting("orders.statuses", "processing,completed", read_statuses, "Order statuses that become a receipt.", "statuses separated by commas"),
    Setting("orders.documents", "", read_documents, "What an order becomes in QuickBooks by its status, or by status and gateway: receipt, sales order or nothing; empty: a receipt in orders.statuses.", "rows such as on-hold=sales order, processing/cod=sales order, completed=receipt"),
    Setting("orders.since", "", _moment, "Older orders go only by push; empty: first go-live.", "2026-01-31 or 2026-01-31T08:00:00Z"),
    Setting("orders.paid_later", "cod,bacs,cheque", _words, "Gateways whose money comes later: such an order waits for it.", "gateway ids separated by commas"),
    Setting("orders.refunded_unsent", "both", _among("both", "neither"), "An order refunded in full before it was sent: the sale and the return go both, or neither does.", "both or neither"),
    Setting("orders.number_prefix", "", _text(10), "Before the order's number in the receipt's comments.", "at most 10 characters"),
    Setting("customers.name", "", _text(30), "Customer of this shop's sales with customers.mode store; empty: customers.fallback and the store code.", "at most 30 characters"),
    Setting("orders.notes", "off", _among("off", "failures", "all"), "What is noted on the shop's orders: nothing, refusals (and what became of them), or every receipt.", "off, failures or all"),
    Setting("customers.update", "true", _boolean, "Changes of shop accounts (never of guests) go to QuickBooks.", "true or false"),
)  # fmt: skip


_STORED_OF_COMPANY = select(CompanySetting.key, CompanySetting.value).where(
    CompanySetting.company_id == bindparam("company_id")
)
_STORED_OF_STORE = select(StoreSetting.key, StoreSetting.value).where(
    StoreSetting.store_id == bindparam("store_id")
)


class Settings:
    """The settings of one company or one store, as they stand in this transaction."""

    def __init__(self, table: Mapping[str, Setting], stored: Mapping[str, str], version: int) -> None:
        self._table = table
        self._stored = stored
        self._parsed: dict[str, Any] = {}
        self.version = version

    def __getitem__(self, key: str) -> Any:
        """The parsed value; its type is the setting's own."""
        if key not in self._parsed:
            self._parsed[key] = self._table[key].parse(self.text(key))
        return self._parsed[key]

    def text(self, key: str) -> str:
        """The value as typed, or the default."""
        return self._stored.get(key, self._table[key].default)


#: Settings by company or store and version; a handful is in use at a time.
_read: dict[tuple[str, int, int], Settings] = {}
_MOST_READ = 500


def company_settings(db: Session, company: Company) -> Settings:
    """The settings of `company`."""
    return _settings(
        ("company", company.id, company.settings_version),
        COMPANY_SETTINGS,
        lambda: run_prebuilt(db, _STORED_OF_COMPANY, {"company_id": company.id}),
    )


def store_settings(db: Session, store: Store) -> Settings:
    """The settings of `store`."""
    return _settings(
        ("store", store.id, store.settings_version),
        STORE_SETTINGS,
        lambda: run_prebuilt(db, _STORED_OF_STORE, {"store_id": store.id}),
    )


def _settings(
    version: tuple[str, int, int], table: Mapping[str, Setting], read: Callable[[], Iterable[Any]]
) -> Settings:
    """As read before in this process under this version, which never comes twice; else read now."""
    found = _read.get(version)
    if found is None:
        if len(_read) >= _MOST_READ:
            _read.clear()
        found = _read[version] = Settings(table, {row.key: row.value for row in read()}, version[-1])
    return found


def documents_of(settings: Settings) -> DocumentTable:
    """What the orders of a store become; `settings` are the store's."""
    table: DocumentTable = settings["orders.documents"]
    return table if table.rows else receipts_for(settings["orders.statuses"])


def check_setting(level: Literal["company", "store"], key: str, value: str) -> None:
    """Raises BadSetting with what is wrong and what is expected."""
    table = COMPANY_SETTINGS if level == "company" else STORE_SETTINGS
    other = STORE_SETTINGS if level == "company" else COMPANY_SETTINGS
    if key not in table:
        if key in other:
            elsewhere = "store" if level == "company" else "company"
            raise BadSetting(
                key, f"is a setting of the {elsewhere}. Use: qbwoo {elsewhere} set NAME {key} VALUE"
            )
        raise BadSetting(key, f"is not known. Known are: {', '.join(sorted(table))}.")
    try:
        table[key].parse(value)
    except BadForm as error:
        raise BadSetting(key, str(error)) from None
    except (ValueError, OverflowError):
        raise BadSetting(key, f"{value!r} does not fit; expected {table[key].form}.") from None


def set_company_setting(db: Session, company: Company, key: str, value: str, *, who: str) -> None:
    """Store a value, or with the default's text forget the row; audited. Raises BadSetting."""
    check_setting("company", key, value)
    before = company_settings(db, company).text(key)
    if key == "documents.prefix" and value != before:
        _check_no_marks(db, company)
    db.execute(
        delete(CompanySetting).where(CompanySetting.company_id == company.id, CompanySetting.key == key)
    )
    if value != COMPANY_SETTINGS[key].default:
        db.add(CompanySetting(company_id=company.id, key=key, value=value))
    company.settings_version = new_id()
    if key == "documents.stopped" or key.startswith("tax."):
        # Somebody looked at the company's tax, perhaps since a total was not the predicted one.
        forget_tax_rates(db, company)
    db.add(
        AuditEntry(
            company_id=company.id, who=who, what=f"company {company.name}: {key}", before=before, after=value
        )
    )
    db.flush()


def _check_no_marks(db: Session, company: Company) -> None:
    """A mark is what a document is found again by: with another prefix it would go a second time."""
    written = select(Exchange.id).where(Exchange.company_id == company.id, Exchange.purpose == "write")
    if db.scalar(written.limit(1)) is not None:
        raise BadSetting(
            "documents.prefix",
            "stays as it is: documents were sent, and are found again in QuickBooks by the prefix they bear.",
        )


def set_store_setting(db: Session, store: Store, key: str, value: str, *, who: str) -> None:
    """Store a value, or with the default's text forget the row; audited. Raises BadSetting."""
    check_setting("store", key, value)
    settings = store_settings(db, store)
    before = settings.text(key)
    if key == "orders.statuses" and settings["orders.documents"].rows:
        how = f'qbwoo store set {store.name} orders.documents ""'
        raise BadSetting(key, f"has no effect while orders.documents has rows. Take these out first: {how}")
    db.execute(delete(StoreSetting).where(StoreSetting.store_id == store.id, StoreSetting.key == key))
    if value != STORE_SETTINGS[key].default:
        db.add(StoreSetting(store_id=store.id, key=key, value=value))
    store.settings_version = new_id()
    if key == "orders.documents":
        # Web orders may be in the books that nobody has looked for yet.
        store.census_done, store.sends_web_orders = False, read_documents(value).has_orders
    db.add(
        AuditEntry(
            company_id=store.company_id,
            who=who,
            what=f"store {store.name}: {key}",
            before=before,
            after=value,
        )
    )
    db.flush()
    if key == "orders.notes":
        company = db.get_one(Company, store.company_id)
        wanted = select(StoreSetting.key).join(Store, Store.id == StoreSetting.store_id)
        # A row is there only where the setting is not its default, "off".
        wanted = wanted.where(Store.company_id == company.id, StoreSetting.key == key)
        company.tells_shops = db.scalars(wanted.limit(1)).first() is not None
        db.flush()
