"""Companies and their stores: adding, finding, going live."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from queue_store.errors import AlreadyThere, BadSetting, NotFound
from queue_store.ids import new_id
from queue_store.models import AuditEntry, Company, Store
from queue_store.secrets import SecretBox, hash_password

#: One application for every company file: the Web Connector tells files apart by FileID.
OWNER_GUID = "{6F9C2E0B-7C55-4E0B-9B57-3B1B0E6A5D11}"

FLAVOURS = ("pos",)
#: What can flow between a shop and QuickBooks, each with its own switch.
KINDS = ("customers", "orders", "products", "stock", "prices")
#: What a go-live means where nothing is named: the shop itself is not written to.
USUAL_KINDS = ("customers", "orders")

_STORES = select(Store).order_by(Store.id)
# Whoever changes a store writes it at once: a reader has nothing to write first.
_STORES_OF = _STORES.where(Store.company_id == bindparam("company_id")).execution_options(autoflush=False)
_STORE_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}[A-Za-z0-9])?")


def add_company(
    db: Session, *, name: str, flavour: str, username: str, password: str, company_file: str = ""
) -> Company:
    """Raises AlreadyThere, BadSetting."""
    if flavour not in FLAVOURS:
        raise BadSetting("flavour", f"{flavour!r} is not known. Known are: {', '.join(FLAVOURS)}.")
    _check_text("name", name, 64)
    # The Web Connector takes no other from a .qwc.
    _check_text("username", username, 64)
    if company_file:
        _check_text("company file", company_file, 500)
    if not password:
        raise BadSetting("password", "is empty. The Web Connector needs one to log in with.")
    if db.scalars(select(Company).where(Company.name == name)).first():
        raise AlreadyThere("company", name)
    _refuse_taken_user(db, username)
    company = Company(
        name=name,
        flavour=flavour,
        username=username,
        password_hash=hash_password(password),
        company_file=company_file,
        owner_guid=OWNER_GUID,
        file_guid="{" + str(uuid.uuid4()).upper() + "}",
    )
    db.add(company)
    db.flush()
    return company


def change_company(
    db: Session,
    company: Company,
    *,
    username: str | None = None,
    password: str | None = None,
    company_file: str | None = None,
    who: str,
) -> None:
    """Change what is given of the Web Connector's account and the file it opens. Raises AlreadyThere, BadSetting."""
    if username is not None and username != company.username:
        _check_text("username", username, 64)
        _refuse_taken_user(db, username)
        _note_change(db, company, who, "username", company.username, username)
        company.username = username
    if password is not None:
        if not password:
            raise BadSetting("password", "is empty. The Web Connector needs one to log in with.")
        _note_change(db, company, who, "password", "", "")
        company.password_hash = hash_password(password)
    if company_file is not None and company_file != company.company_file:
        if company_file:
            _check_text("company file", company_file, 500)
        _note_change(db, company, who, "company file", company.company_file, company_file)
        company.company_file = company_file
    db.flush()


def _refuse_taken_user(db: Session, username: str) -> None:
    if db.scalars(select(Company).where(Company.username == username)).first():
        raise AlreadyThere("Web Connector user", username)


def _note_change(db: Session, company: Company, who: str, what: str, before: str, after: str) -> None:
    db.add(AuditEntry(company_id=company.id, who=who, what=f"company: {what}", before=before, after=after))


def reseal_stores(db: Session, box: SecretBox) -> int:
    """Write the secrets of all stores with the box's first key; how many stores. Raises WrongSecretKey."""
    stores = db.scalars(select(Store).order_by(Store.id).with_for_update()).all()
    for store in stores:
        store.consumer_secret = box.seal_again(store.consumer_secret)
        store.webhook_secret = box.seal_again(store.webhook_secret)
    db.flush()
    return len(stores)


def add_store(
    db: Session,
    box: SecretBox,
    *,
    company: Company,
    name: str,
    url: str,
    consumer_key: str,
    consumer_secret: str,
    webhook_secret: str,
) -> Store:
    """`url` was checked by the caller. Raises AlreadyThere, BadSetting."""
    if not _STORE_NAME.fullmatch(name):
        raise BadSetting(
            "name", "a store's name has 1 to 64 letters, digits and dashes; it is part of the webhook URL."
        )
    _check_text("consumer key", consumer_key, 200)
    if db.scalars(select(Store).where(Store.name == name)).first():
        raise AlreadyThere("store", name)
    store = Store(
        company_id=company.id,
        name=name,
        code=_free_code(db, company, name),
        url=url.rstrip("/"),
        consumer_key=consumer_key,
        consumer_secret=box.seal(consumer_secret),
        webhook_secret=box.seal(webhook_secret),
    )
    db.add(store)
    db.flush()
    return store


def _check_text(what: str, text: str, most: int) -> None:
    """Raises BadSetting for what is empty, too long, or looks on a screen like something else."""
    if not 1 <= len(text) <= most or not text.isprintable() or text != text.strip():
        raise BadSetting(
            what,
            f"must have 1 to {most} characters, without line breaks, tabs and the like, "
            "and no blank before or after them.",
        )


def _free_code(db: Session, company: Company, name: str) -> str:
    """At most 8 letters and digits, from the name, unique in the company, never changed."""
    base = re.sub(r"[^A-Z0-9]", "", name.upper())[:8] or "S"
    taken = set(db.scalars(select(Store.code).where(Store.company_id == company.id)))
    code, number = base, 1
    while code in taken:
        number += 1
        code = f"{base[: 8 - len(str(number))]}{number}"
    return code


def get_company(db: Session, name: str) -> Company:
    """Raises NotFound."""
    company = db.scalars(select(Company).where(Company.name == name)).first()
    if company is None:
        raise NotFound("company", name, "See: qbwoo company list")
    return company


def get_store(db: Session, name: str) -> Store:
    """Raises NotFound."""
    store = db.scalars(select(Store).where(Store.name == name)).first()
    if store is None:
        raise NotFound("store", name, "See: qbwoo store list")
    return store


def list_companies(db: Session) -> Sequence[Company]:
    return db.scalars(select(Company).order_by(Company.id)).all()


def list_stores(db: Session, company_id: int | None = None) -> Sequence[Store]:
    if company_id is None:
        return db.scalars(_STORES).all()
    return db.scalars(_STORES_OF, {"company_id": company_id}).all()


def live_kinds(store: Store) -> frozenset[str]:
    """What flows now, of `KINDS`."""
    return frozenset(store.live_kinds.split())


def check_kinds(kinds: Iterable[str]) -> set[str]:
    """`kinds`, each once, if all are of `KINDS`. Raises BadSetting."""
    wanted = set(kinds)
    if not wanted <= set(KINDS):
        raise BadSetting(
            "only", f"{', '.join(sorted(wanted - set(KINDS)))} is not known. Known are: {', '.join(KINDS)}."
        )
    return wanted


def set_live(db: Session, store: Store, kinds: Iterable[str], *, who: str) -> None:
    """Switch exactly these kinds on and all others off; the first go-live of orders is remembered."""
    wanted = check_kinds(kinds)
    before, after = store.live_kinds, " ".join(sorted(wanted))
    store.live_kinds = after
    if "orders" in wanted and store.live_since is None:
        # Whole seconds, as the shop tells them: an order of the very second of the go-live is in.
        store.live_since = datetime.now(UTC).replace(microsecond=0)
    store.settings_version = new_id()
    db.flush()
    stores = db.scalars(select(Store).where(Store.company_id == store.company_id)).all()
    db.get_one(Company, store.company_id).tracks_stock = any("stock" in live_kinds(one) for one in stores)
    db.add(
        AuditEntry(
            company_id=store.company_id, who=who, what=f"store {store.name}: live", before=before, after=after
        )
    )
    db.flush()
