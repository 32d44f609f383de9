"""What is mutated: recorded webhooks and orders, the calls of the Web Connector, answers of the played QuickBooks."""

from __future__ import annotations

import base64
import hmac
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ops_sandbox.request_processor import RequestProcessorError
from ops_sandbox.web_connector.wire import write_envelope
from tests.fuzz.world import Moment, World
from tests.harness import PASSWORD, numbered, recorded_order, recorded_refunds

_DATA = Path(__file__).parent.parent / "data" / "woocommerce"
SECRET = b"whsec"
SOAP_HEADERS = {
    "CONTENT_TYPE": "text/xml; charset=utf-8",
    "HTTP_SOAPACTION": '"http://developer.intuit.com/x"',
}
#: Orders of one world, all of which a valid session brings into the books.
ORDERS = ("plain", "fee", "pct", "reg", "completed", "frac")
#: What a Point of Sale answers to these is an error, or nothing.
_REFUSED = (
    "<CustomerQueryRq {id}><ListID>-1</ListID></CustomerQueryRq>",
    "<ItemInventoryQueryRq {id}><ListID>-99</ListID></ItemInventoryQueryRq>",
    "<ItemInventoryQueryRq {id}><IteratorX>1</IteratorX></ItemInventoryQueryRq>",
    "<CustomerAddRq {id}><CustomerAdd><FirstName>A</FirstName></CustomerAdd></CustomerAddRq>",
    "<ItemInventoryAddRq {id}><ItemInventoryAdd><Desc1>A</Desc1></ItemInventoryAdd></ItemInventoryAddRq>",
    "<SalesReceiptAddRq {id}><SalesReceiptAdd><CustomerListID>-1</CustomerListID></SalesReceiptAdd></SalesReceiptAddRq>",
    "<TxnReverseRq {id}><TxnReverseType>SalesReceipt</TxnReverseType><TxnID>-7</TxnID></TxnReverseRq>",
)


@dataclass(frozen=True)
class Webhook:
    topic: str
    body: bytes


@cache
def webhooks() -> tuple[Webhook, ...]:
    """Every recorded delivery, and every recorded order as an update."""
    found = []
    for path in sorted((_DATA / "webhooks").glob("[0-9]*.json")):
        for delivery in json.loads(path.read_text("utf-8"))["deliveries"]:
            topic = dict(delivery["headers"]).get("X-WC-Webhook-Topic", "")
            found.append(Webhook(topic, delivery["body"].encode()))
    for path in sorted((_DATA / "rest").glob("order_*.json")):
        body = json.loads(path.read_text("utf-8"))["response"]["body"]
        if isinstance(body, dict) and "line_items" in body:
            found.append(Webhook("order.updated", json.dumps(body).encode()))
    return tuple(found)


@cache
def parsed(body: bytes) -> Any:
    """A recorded body as JSON; None where it is none."""
    try:
        return json.loads(body)
    except ValueError:
        return None


def signed(body: bytes, topic: str) -> dict[str, str]:
    """The headers of a rightly signed delivery."""
    return {
        "CONTENT_TYPE": "application/json",
        "HTTP_X_WC_WEBHOOK_TOPIC": topic,
        "HTTP_X_WC_WEBHOOK_SIGNATURE": base64.b64encode(hmac.digest(SECRET, body, "sha256")).decode(),
    }


@dataclass(frozen=True)
class Exchanged:
    """A moment at which QuickBooks has answered a set and we have not heard it."""

    moment: Moment
    ticket: str
    request: str
    response: str


def orders(first: int = 7000) -> list[dict[str, Any]]:
    """Orders that go as they are, numbered from `first` on."""
    return [numbered(recorded_order(name), first + place) for place, name in enumerate(ORDERS)]


def furnish(world: World) -> None:
    """Let orders arrive, with a refund, and lists of QuickBooks be due."""
    for order in orders():
        world.house.take(order)
    refunded = recorded_order("rpart")
    world.house.take(refunded)
    world.house.take_refunds(refunded, recorded_refunds(refunded["id"]))
    world.house.set("pull.items_minutes", "60")
    world.house.set("pull.customers_minutes", "60")


def exchanges(world: World) -> list[Exchanged]:
    """Each set of the sessions that bring a furnished world to rest; the world is at rest afterwards."""
    found = []
    for _ in range(6):
        ticket, says = world.house.begin()
        if says:
            break
        books = world.house.pos.begin_session("")
        while True:
            request = world.house.send(ticket)
            response = books.process(request)
            found.append(Exchanged(Moment.of(world), ticket, request, response))
            if world.house.conversation.receive_response_xml(ticket, response, "", "") in (100, -1):
                break
        books.end()
        world.house.conversation.close_connection(ticket)
    return found


def refusals(world: World) -> list[bytes]:
    """Answers of the played Point of Sale to what it refuses, or does not find."""
    found = []
    books = world.house.pos.begin_session("")
    for number, one in enumerate(_REFUSED):
        request = (
            '<?xml version="1.0"?><?qbposxml version="3.0"?><QBPOSXML><QBPOSXMLMsgsRq onError="continueOnError">'
            + one.format(id=f'requestID="{number}"')
            + "</QBPOSXMLMsgsRq></QBPOSXML>"
        )
        try:
            found.append(books.process(request).encode())
        except RequestProcessorError:
            continue
    books.end()
    return found


def envelopes(exchanged: Exchanged) -> list[bytes]:
    """One call of each method, those of a session with its ticket."""
    ticket = exchanged.ticket
    calls: tuple[tuple[str, tuple[tuple[str, str | int], ...]], ...] = (
        ("serverVersion", ()),
        ("clientVersion", (("strVersion", "3.0.0.199"),)),
        ("authenticate", (("strUserName", "connector"), ("strPassword", PASSWORD))),
        ("authenticate", (("strUserName", "nobody"), ("strPassword", "wrong"))),
        (
            "sendRequestXML",
            (
                *(("ticket", ticket), ("strHCPResponse", "<a/>"), ("strCompanyFileName", "C:\\x.qbw")),
                *(("qbXMLCountry", "US"), ("qbXMLMajorVers", 3), ("qbXMLMinorVers", 0)),
            ),
        ),
        (
            "receiveResponseXML",
            (("ticket", ticket), ("response", exchanged.response), ("hresult", ""), ("message", "")),
        ),
        (
            "receiveResponseXML",
            (
                ("ticket", ticket),
                ("response", ""),
                ("hresult", "0x80040400"),
                ("message", "QuickBooks found an error"),
            ),
        ),
        (
            "connectionError",
            (("ticket", ticket), ("hresult", "0x80040408"), ("message", "Could not start QuickBooks")),
        ),
        ("getLastError", (("ticket", ticket),)),
        ("closeConnection", (("ticket", ticket),)),
        ("getInteractiveURL", (("wcTicket", ticket), ("sessionID", "1"))),
        ("interactiveRejected", (("wcTicket", ticket), ("reason", "no"))),
        ("interactiveDone", (("wcTicket", ticket),)),
        ("isInteractiveDone", (("wcTicket", ticket),)),
    )
    return [write_envelope(method, parameters) for method, parameters in calls]


def answer_call(exchanged: Exchanged, response: str, hresult: str = "", message: str = "") -> bytes:
    """receiveResponseXML with this answer."""
    return write_envelope(
        "receiveResponseXML",
        (("ticket", exchanged.ticket), ("response", response), ("hresult", hresult), ("message", message)),
    )
