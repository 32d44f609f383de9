"""From candidates to requests that can leave: finding QuickBooks' ids, many activities at once.

What a candidate needs is looked for in the mappings and the catalogue. What is
not there is asked for by key, in a set of its own. What QuickBooks does not
have either is added first, by an activity that the candidate waits for, is
refused with a sentence, or is stood in for, as the settings say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from qbwc_service.errors import NotSendable
from qbwc_service.kinds.customers import bind_customer, keys_of
from qbwc_service.kinds.kind import ITEM_ID
from qbwc_service.knowledge import Knowledge
from qbwc_service.needs import CustomerNeed, ItemNeed, Prepared, StockNeed
from qbwc_service.run import Run
from queue_store.activities import ORDER_KINDS, called
from queue_store.catalogue import KnownCustomer, KnownItem, fold
from queue_store.item_orders import item_record_id
from queue_store.payloads import Department, Item, Payload
from queue_store.tasks import raise_task

#: Item types that carry no stock, and so may carry an amount as one piece.
_STOCKED = frozenset({"Inventory", "Assembly", "Group"})


@dataclass(frozen=True, slots=True)
class Addition:
    """Something that QuickBooks lacks and that is to be added first."""

    kind: str
    record_id: str
    payload: Payload
    reference: str
    store_id: int = 0


@dataclass(slots=True)
class Verdict:
    """What became of one candidate."""

    activity: Any
    prepared: Prepared
    #: Values for the gaps, complete when nothing below is set.
    values: dict[str, str] = field(default_factory=dict)
    #: (kind, key) pairs to ask QuickBooks for.
    look_ups: list[tuple[str, str]] = field(default_factory=list)
    additions: list[Addition] = field(default_factory=list)
    refusal: str = ""
    #: Why it cannot go now, where that may pass by itself.
    hindrance: str = ""

    @property
    def is_ready(self) -> bool:
        return not (self.refusal or self.hindrance or self.look_ups or self.additions)


def resolve(run: Run, candidates: Sequence[tuple[Any, Prepared]]) -> list[Verdict]:
    """A verdict for each candidate, in order.

    A run without a session only looks: it writes nothing, and what is not known is a look-up.
    """
    knowledge = Knowledge(run, candidates)
    return [_Resolution(run, knowledge, activity, prepared).verdict() for activity, prepared in candidates]


class _Resolution:
    """One candidate held against the knowledge of its batch."""

    def __init__(self, run: Run, knowledge: Knowledge, activity: Any, prepared: Prepared) -> None:
        self.run = run
        self.knowledge = knowledge
        self.activity = activity
        self.result = Verdict(activity, prepared)

    def verdict(self) -> Verdict:
        try:
            self._keep_pieces()
            prepared, values = self.result.prepared, self.result.values
            for kind, key in prepared.look_ups:
                if self._was_asked(kind, key):
                    raise NotSendable(
                        f"{self._name()}: QuickBooks names no tax categories and codes. Set them up there, or write "
                        f"the shop's own tax: qbwoo company set {self.run.settings.owner} tax.mode line; then retry."
                    )
            for need in prepared.items:
                list_id = self._item(need)
                if list_id:
                    values[f"{need.kind}:{need.key}"] = list_id
            if prepared.customer:
                list_id = self._customer(prepared.customer)
                if list_id:
                    values["customer"] = list_id
            if prepared.department:
                list_id = self._department(prepared.department)
                if list_id:
                    values["department"] = list_id
            if prepared.stock:
                self._stock(prepared.stock)
        except NotSendable as refusal:
            self.result.refusal = refusal.sentence
        return self.result

    # Items ------------------------------------------------------------------

    def _item(self, need: ItemNeed) -> str:
        """The ListID, or "" when it has to be asked for or added first."""
        if need.kind == "line":
            return self._own_item(need.item)
        mapped = self.knowledge.item_ids[self.activity.store_id, "item", need.key]
        if mapped:
            if need.one_piece:
                known = self.knowledge.mapped_items.get(mapped)
                self._check_piece(need, known.item_type if known else "")
            return mapped
        key = fold(need.key)
        found = self._by_keys(need, key)
        if found:
            self._check_piece(need, found.item_type)
            return found.list_id
        if not self._was_asked("item", need.key):
            return ""
        missing = self.run.settings["items.missing"]
        if missing == "create":
            self._check_piece(need, need.item.item_type)
            return self._add(Addition("add_item", item_record_id("sku", key), need.item, need.key))
        fallback = self.run.settings["items.fallback"]
        if missing == "fallback" and fallback:
            stand_in = Item(
                sku=fallback,
                name=fallback,
                item_type="NonInventory",
                tax_code=self.run.settings["lines.tax_code"],
                department=self.run.settings["items.department"],
            )
            return self._own_item(stand_in)
        raise NotSendable(
            f'{self._name()}: SKU "{need.key}" has no QuickBooks item. Create an item with that '
            f"{' or '.join(self.run.settings['items.keys'])}, or map it: "
            f"qbwoo mapping set item {need.key!r} -- LISTID; then retry."
        )

    def _by_keys(self, need: ItemNeed, key: str) -> KnownItem | None:
        for field_name in self.run.settings["items.keys"]:
            found = self.knowledge.by_key[field_name].get(key, [])
            if len(found) > 1:
                names = " and ".join(f"item {item.item_number} {item.name!r}" for item in found[:2])
                raise NotSendable(
                    f'{self._name()}: SKU "{need.key}" is the {field_name} of {len(found)} items in QuickBooks, '
                    f"{names}. Change one of them, or map the SKU to one: qbwoo mapping set item "
                    f"{need.key!r} -- LISTID; then retry."
                )
            if found:
                return found[0]
        return None

    def _own_item(self, item: Item) -> str:
        """An item for extra lines, by its name; made in QuickBooks when first needed."""
        key = fold(item.sku)
        mapped = self.knowledge.mapped(0, "line", key)
        if mapped:
            return mapped
        if not self._was_asked("line", item.sku):
            return ""
        return self._add(Addition("add_item", item_record_id("line", key), item, item.sku))

    def _keep_pieces(self) -> None:
        """Takes the other spelling where a line that is one piece names an item that keeps stock."""
        prepared = self.result.prepared
        if prepared.for_stock is not None and any(
            need.one_piece and need.kind == "sku" and self._keeps_stock(need) for need in prepared.items
        ):
            self.result.prepared = prepared.for_stock

    def _keeps_stock(self, need: ItemNeed) -> bool:
        """Whether QuickBooks' item is known to keep stock, or is to be made so."""
        key = fold(need.key)
        mapped = self.knowledge.mapped(self.activity.store_id, "item", key)
        if mapped:
            known = self.knowledge.mapped_items.get(mapped)
            return known is not None and known.item_type in _STOCKED
        found = self._by_keys(need, key)
        if found is None and self.run.settings["items.missing"] != "create":
            return False
        return (found.item_type if found else need.item.item_type) in _STOCKED

    def _check_piece(self, need: ItemNeed, item_type: str) -> None:
        if need.one_piece and item_type in _STOCKED:
            self._refuse_piece(need.label)

    def _refuse_piece(self, label: str) -> None:
        raise NotSendable(
            f"{self._name()}: the line {label!r} cannot be written. Its pieces would need prices below 0.01 or with parts "
            "of 0.01, and its item keeps stock in QuickBooks, so it cannot go as one piece either. Give the line a total "
            "of 0.00 in the shop, or one that is a price in cents times its pieces; or enter this by hand and cancel it here."
        )

    # Customers --------------------------------------------------------------

    def _customer(self, need: CustomerNeed) -> str:
        knowledge, store_id = self.knowledge, self.activity.store_id
        for _, key in keys_of(need.customer):
            mapped = knowledge.mapped(store_id, "customer", key)
            if mapped:
                return mapped
        email, customer_id = fold(need.customer.email), fold(need.customer_id)
        matches: list[KnownCustomer] = knowledge.by_email.get(email, []) or knowledge.by_customer_id.get(
            customer_id, []
        )
        if len(matches) > 1 and not need.fallback:
            matches = _same_person(need, matches)
            if len(matches) != 1:
                return self._ambiguous(need)
        if matches:
            self._bind(need, matches[0].list_id)
            return matches[0].list_id
        reference = need.customer.email or need.customer.last_name or need.customer_id
        why = "" if need.fallback else self._trouble(need)
        if why:
            return self._without(reference, why)
        asked = ("customer", need.customer.email) if email else ("customer id", need.customer_id)
        if not self._was_asked(*asked):
            return ""
        return self._add(Addition("add_customer", need.customer_id, need.customer, reference[:120]))

    def _trouble(self, need: CustomerNeed) -> str:
        """Why this customer can neither be told nor added, in a sentence; "" if he can, or that may pass."""
        for asked in (("customer", need.customer.email), ("customer id", need.customer_id)):
            answer = self.knowledge.answered.get(asked)
            if answer is not None and answer.problem and not answer.passing:
                return answer.problem
        return self.knowledge.refused_customers.get(need.customer_id, "")

    def _without(self, reference: str, why: str) -> str:
        """Never a failed sale: the named web customer takes it, and a person is told."""
        if self.run.session is not None:
            self._tell_of_stand_in(reference, why)
        return self._customer(self.run.spelling.fallback_customer(self.run.settings))

    def _tell_of_stand_in(self, reference: str, why: str) -> None:
        stand_in = self.run.settings["customers.fallback"]
        raise_task(
            self.run.db,
            company_id=self.run.company.id,
            kind="customer refused",
            subject=reference[:120],
            sentence=f"Customer {reference} could not be found or added in QuickBooks, so sales go to {stand_in!r}: "
            f"{why} Mend that and retry the customer (qbwoo activity list --kind add_customer), or map it: "
            f"qbwoo mapping set customer email:ADDRESS -- LISTID",
            activity_id=self.activity.id,
        )

    def _bind(self, need: CustomerNeed, list_id: str) -> None:
        if not need.fallback and self.run.session is not None:
            bind_customer(self.run, self.activity.store_id, need.customer, list_id, "matched")

    def _ambiguous(self, need: CustomerNeed) -> str:
        """Never a failed sale: the named web customer takes it, and a person is asked."""
        email = need.customer.email
        if self.run.session is None:
            return self._customer(self.run.spelling.fallback_customer(self.run.settings))
        raise_task(
            self.run.db,
            company_id=self.run.company.id,
            kind="ambiguous customer",
            subject=email[:120],
            sentence=f"Several customers in QuickBooks have the e-mail {email}, and name and postcode do not tell them "
            f"apart: their sales go to {self.run.settings['customers.fallback']!r}. Map the right one: "
            f"qbwoo mapping set customer email:{email} -- LISTID",
            activity_id=self.activity.id,
        )
        return self._customer(self.run.spelling.fallback_customer(self.run.settings))

    # Departments ------------------------------------------------------------

    def _department(self, name: str) -> str:
        mapped = self.knowledge.mapped(0, "department", fold(name))
        if mapped:
            return mapped
        if not self._was_asked("department", name):
            return ""
        return self._add(Addition("add_department", fold(name), Department(name=name), name))

    # Stock ------------------------------------------------------------------

    def _stock(self, need: StockNeed) -> None:
        """The new quantity, of an item that was read in the very set before."""
        asked = (ITEM_ID, need.list_id)
        answer = self.knowledge.answered.get(asked)
        item = self.knowledge.just_read.get(need.list_id)
        if answer is None or (answer.found > 0 and item is None):
            self.result.look_ups.append(asked)
            return
        if answer.problem and answer.passing:
            self.result.hindrance = f"{self._name()}: {answer.problem}"
            return
        if item is None:
            raise NotSendable(
                f"{self._name()}: its stock cannot be adjusted: "
                f"{answer.problem or 'QuickBooks does not have this item any more.'} Match the product to another "
                "item, or cancel the adjustment."
            )
        location = need.location or (next(iter(item.on_hand)) if len(item.on_hand) == 1 else "")
        if location not in item.on_hand:
            known = ", ".join(item.on_hand) or "none"
            raise NotSendable(
                f"{self._name()}: its stock cannot be adjusted at location {location or '(not named)'}: QuickBooks tells "
                f"of these: {known}. Set documents.store_number to the store whose stock the shop sells; then retry."
            )
        self.result.values["location"] = location
        self.result.values["quantity"] = f"{item.on_hand[location] + need.difference:f}"

    # What is missing --------------------------------------------------------

    def _was_asked(self, kind: str, key: str) -> bool:
        """True if QuickBooks said in this session that it has no such thing; else it is asked."""
        answer = self.knowledge.answered.get((kind, key))
        if answer is None:
            if not self.run.spelling.look_up_requests(kind, key, self.run.settings):
                return True  # No field of QuickBooks can hold this key: it has none.
            self.result.look_ups.append((kind, key))
            return False
        if answer.problem and answer.passing:
            self.result.hindrance = f"{self._name()}: {answer.problem}"
            return False
        if answer.problem:
            raise NotSendable(f"{self._name()}: {answer.problem}")
        return True

    def _add(self, addition: Addition) -> str:
        self.result.additions.append(addition)
        return ""

    def _name(self) -> str:
        is_element = self.activity.kind not in ORDER_KINDS
        return f"Activity {self.activity.reference}" if is_element else called(self.activity)


def _same_person(need: CustomerNeed, matches: list[KnownCustomer]) -> list[KnownCustomer]:
    """Those of several with one e-mail that also have the buyer's name and postcode."""
    name = (
        fold(need.customer.first_name),
        fold(need.customer.last_name),
        fold(need.customer.billing.postcode),
    )
    return [
        person
        for person in matches
        if (fold(person.first_name), fold(person.last_name), fold(person.postcode)) == name
    ]
