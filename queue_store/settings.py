"""Company and store settings: rows, read per transaction, each with a word of explanation.

A value is text in the table and is parsed here, once. Changing one renews the
`settings_version` of its company or store, so that what was prepared under the
old value is prepared anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from queue_store.company_setting_list import COMPANY_SETTINGS
from queue_store.errors import BadSetting
from queue_store.ids import new_id
from queue_store.models import AuditEntry, Company, CompanySetting, Exchange, Store, StoreSetting
from queue_store.prebuilt import Prebuilt
from queue_store.quoting import quoted
from queue_store.setting_forms import Setting
from queue_store.setting_tables import BadForm, DocumentTable, read_documents, receipts_for
from queue_store.store_setting_list import STORE_SETTINGS
from queue_store.tasks import REFUSED_TOTAL, close_tasks
from queue_store.tax_rates import forget_tax_rates

_STORED_OF_COMPANY = Prebuilt(
    select(CompanySetting.key, CompanySetting.value).where(
        CompanySetting.company_id == bindparam("company_id")
    )
)
_STORED_OF_STORE = Prebuilt(
    select(StoreSetting.key, StoreSetting.value).where(StoreSetting.store_id == bindparam("store_id"))
)


class Settings:
    """The settings of one company or one store, as they stand in this transaction."""

    def __init__(
        self, table: Mapping[str, Setting], stored: Mapping[str, str], version: int, owner: str = "NAME"
    ) -> None:
        self._table = table
        #: Name of the company or store, as a command takes it.
        self.owner = quoted(owner)
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
        company.name,
        lambda: _STORED_OF_COMPANY.rows(db, {"company_id": company.id}),
    )


def store_settings(db: Session, store: Store) -> Settings:
    """The settings of `store`."""
    return _settings(
        ("store", store.id, store.settings_version),
        STORE_SETTINGS,
        store.name,
        lambda: _STORED_OF_STORE.rows(db, {"store_id": store.id}),
    )


def _settings(
    version: tuple[str, int, int],
    table: Mapping[str, Setting],
    owner: str,
    read: Callable[[], Iterable[Any]],
) -> Settings:
    """As read before in this process under this version, which never comes twice; else read now."""
    found = _read.get(version)
    if found is None:
        if len(_read) >= _MOST_READ:
            _read.clear()
        found = _read[version] = Settings(table, {row.key: row.value for row in read()}, version[-1], owner)
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
    if (key, value) == ("documents.stopped", "false"):
        # Somebody looked at those too: the next one is the first again.
        close_tasks(db, company.id, REFUSED_TOTAL)
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
