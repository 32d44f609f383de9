"""The Web Connector's calls on the wire: Spyne between SOAP and the conversation.

The only module that imports Spyne. Parameter and result names, the namespace
and the array's item name are Intuit's, to the letter: .NET reads a result that
it does not find as null, and a missing percentage as 0, which means "go on".

Source: Intuit's WSDL of the service; QuickBooks Web Connector Programmer's
Guide for the three interactive methods, which no WSDL has.
"""

from __future__ import annotations

import logging
import re
import secrets
import traceback
from collections.abc import Callable, Container, Sequence
from typing import Any
from wsgiref.types import WSGIApplication

from lxml import etree

from .conversation import Conversation
from .envelope import SOAP_11, SOAP_12, EnvelopeRefused, parsed_envelope, server_error_sentence
from .spyne_compat import importable_spyne

with importable_spyne():
    import spyne.const
    from spyne import Application, ComplexModel, Fault, Integer32, ServiceBase, Unicode, rpc
    from spyne.protocol.soap import Soap11
    from spyne.server.wsgi import WsgiApplication

logger = logging.getLogger(__name__)

NAMESPACE = "http://developer.intuit.com/"
SERVICE_NAME = "QBWebConnectorSvc"
TICKET_SHOWN = 8

# Spyne logs bodies that it cannot parse, passwords included, and exceptions with what they quote.
# What is worth logging is logged here and in the guard.
logging.getLogger("spyne").setLevel(logging.CRITICAL + 1)
# Spyne collects all garbage every second, to have attachments closed in time; there are none here,
# and it takes a quarter of the time of a busy service.
spyne.const.MIN_GC_INTERVAL = float("inf")

_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: No length of its own: the guard bounds the body before Spyne sees it.
_NO_LIMIT = 2**62
_NUMBER = re.compile(r"-?[0-9]{1,9}", re.ASCII)
_NUMBERS = ("qbXMLMajorVers", "qbXMLMinorVers")
_SEND_PARAMETERS = ("ticket", "strHCPResponse", "strCompanyFileName", "qbXMLCountry", *_NUMBERS)


class _Strings(ComplexModel):  # type: ignore[misc]  # Spyne has no types
    """Intuit's ArrayOfString. Any other item name gives .NET an empty array, without an error."""

    __namespace__ = NAMESPACE
    __type_name__ = "ArrayOfString"
    string = Unicode(min_occurs=0, max_occurs="unbounded", nillable=True)


def make_soap_app(conversation: Conversation) -> WSGIApplication:
    """The service as a WSGI application for POST alone, to be put behind a `Guard`.

    It raises EnvelopeRefused, which the guard answers, and reads `wsgi.input`
    as far as CONTENT_LENGTH says, however long. What a method of
    `conversation` raises is logged under a short id and answered as a SOAP
    fault that names the id.
    """
    application = _Application(
        [_service(conversation)],
        tns=NAMESPACE,
        name=SERVICE_NAME,
        in_protocol=_Envelope(validator="soft", huge_tree=True, parse_xsi_type=False),
        out_protocol=_Answer(),
    )
    application.event_manager.add_listener("method_context_closed", _let_go)
    app: WSGIApplication = WsgiApplication(application, max_content_length=_NO_LIMIT, block_length=_NO_LIMIT)
    return app


def _let_go(ctx: Any) -> None:
    """Empty the documents of a call that is over.

    Spyne's contexts refer to each other, and would keep them until the garbage collector comes by.
    """
    for document in (ctx.in_document, ctx.out_document):
        if document is not None:
            document.clear()
    ctx.in_object = ctx.out_object = None


class _Envelope(Soap11):  # type: ignore[misc]  # Spyne has no types
    """SOAP 1.1 read strictly: what Spyne would pass over or trip over is refused with a sentence."""

    def create_in_document(self, ctx: Any, charset: str | None = None) -> None:
        # Not Spyne's own parsing: it also follows href attributes, unpacks
        # attachments, and logs what it cannot read.
        ctx.in_document = parsed_envelope(b"".join(ctx.in_string))
        ctx.in_string = ()

    def decompose_incoming_envelope(self, ctx: Any, message: str = Soap11.REQUEST) -> None:
        ctx.in_header_doc = None
        ctx.in_body_doc = call = _call_in(ctx.in_document, self.app.interface.service_method_map)
        ctx.method_request_string = call.tag


class _Answer(Soap11):  # type: ignore[misc]  # Spyne has no types
    def serialize(self, ctx: Any, message: str) -> Any:
        try:
            return super().serialize(ctx, message)
        except ValueError as problem:
            # lxml refuses a text that XML cannot hold. Spyne would answer without telling anybody why.
            ctx.out_error = _logged_fault(ctx, problem)
            ctx.transport.resp_code = "500 Internal Server Error"
            return super().serialize(ctx, message)


class _Application(Application):  # type: ignore[misc]  # Spyne has no types
    def call_wrapper(self, ctx: Any) -> Any:
        """Run one call; every exception of the conversation ends here, as a fault."""
        try:
            return super().call_wrapper(ctx)
        except Exception as problem:  # noqa: BLE001  # the conversation's outermost edge
            raise _logged_fault(ctx, problem) from None


def _logged_fault(ctx: Any, problem: Exception) -> Any:
    """The fault to answer `problem` with, after the log has got the whole of it under the fault's id."""
    name = ctx.descriptor.name
    given = dict(zip(ctx.descriptor.in_message._type_info, ctx.in_object, strict=False))
    password = str(given.get("strPassword") or "")
    ticket = str(given.get("ticket") or given.get("wcTicket") or "")
    error_id = secrets.token_hex(4)
    logger.error(
        "%s failed in session %s, error %s\n%s",
        name,
        ticket[:TICKET_SHOWN] or "-",
        error_id,
        _traceback_without(problem, password, ticket),
    )
    return Fault("Server", server_error_sentence(f"answer {name}", error_id))


def _service(conversation: Conversation) -> type:
    """The methods of the wire, each with its parameters in Intuit's order."""

    def authenticate(ctx: Any, username: str, password: str) -> _Strings:
        address = ctx.transport.req.get("REMOTE_ADDR", "")
        answer = [_sentence(item) for item in conversation.authenticate(username, password, address)]
        # With fewer than two the Web Connector fails with QBWC1012, "index out of range".
        return _Strings(string=answer + [""] * (2 - len(answer)))

    def send_request_xml(
        _ctx: Any, ticket: str, hcp: str, company: str, country: str, major: Any, minor: Any
    ) -> str:
        return conversation.send_request_xml(ticket, hcp, company, country, major or 0, minor or 0) or ""

    def receive_response_xml(_ctx: Any, ticket: str, response: str, hresult: str, message: str) -> int:
        percent = conversation.receive_response_xml(ticket, response, hresult, message)
        # int() refuses None, which .NET would read as 0: go on.
        return min(int(percent), 100)

    def plain(method: Callable[..., str]) -> Callable[..., str]:
        return lambda _ctx, *texts: _sentence(method(*texts))

    table: tuple[tuple[str, Callable[..., Any], Sequence[str], Any], ...] = (
        ("serverVersion", plain(conversation.server_version), (), Unicode),
        ("clientVersion", plain(conversation.client_version), ("strVersion",), Unicode),
        ("authenticate", authenticate, ("strUserName", "strPassword"), _Strings),
        ("sendRequestXML", send_request_xml, _SEND_PARAMETERS, Unicode),
        ("receiveResponseXML", receive_response_xml, ("ticket", "response", "hresult", "message"), Integer32),
        ("connectionError", plain(conversation.connection_error), ("ticket", "hresult", "message"), Unicode),
        ("getLastError", plain(conversation.get_last_error), ("ticket",), Unicode),
        ("closeConnection", plain(conversation.close_connection), ("ticket",), Unicode),
        ("getInteractiveURL", plain(conversation.get_interactive_url), ("wcTicket", "sessionID"), Unicode),
        ("interactiveRejected", plain(conversation.interactive_rejected), ("wcTicket", "reason"), Unicode),
        # The guide's chapters have the first name, its list of news and Intuit's sample the second.
        ("interactiveDone", plain(conversation.interactive_done), ("wcTicket",), Unicode),
        ("isInteractiveDone", plain(conversation.interactive_done), ("wcTicket",), Unicode),
    )
    return type(SERVICE_NAME, (ServiceBase,), {row[0]: _method(*row) for row in table})


def _method(name: str, function: Callable[..., Any], parameters: Sequence[str], returns: Any) -> Any:
    def call(ctx: Any, *values: Any) -> Any:
        # .NET leaves null strings out and sends empty ones as <name />; both are "".
        return function(ctx, *("" if value is None else value for value in values))

    call.__name__ = name
    types = [Integer32 if parameter in _NUMBERS else Unicode for parameter in parameters]
    return rpc(*types, _args=tuple(parameters), _returns=returns)(call)


def _call_in(envelope: etree._Element, methods: Container[str]) -> etree._Element:
    """The one element in soap:Body, a method that exists, its parameters plain text. Raises EnvelopeRefused."""
    root = etree.QName(envelope)
    if root.localname != "Envelope" or root.namespace not in (SOAP_11, SOAP_12):
        raise EnvelopeRefused(
            f"The request is no SOAP 1.1 envelope, whose namespace is {SOAP_11}", code="VersionMismatch"
        )
    body = envelope.find(f"{{{root.namespace}}}Body")
    calls = [] if body is None else list(body)
    if len(calls) != 1:
        raise EnvelopeRefused(f"soap:Body must hold one call of the Web Connector and holds {len(calls)}.")
    call = calls[0]
    if etree.QName(call).namespace != NAMESPACE:
        raise EnvelopeRefused(f"The call must stand in the namespace {NAMESPACE} (trailing slash included).")
    if call.tag not in methods:
        raise EnvelopeRefused("The Web Connector's protocol has no method of this name.")
    # Spyne takes attributes of these names for parameters, and nil="false" for nil.
    call.attrib.clear()
    seen: set[str] = set()
    for parameter in list(call):
        name = etree.QName(parameter).localname
        if len(parameter) or name in seen:
            # Spyne would take the text before the first child, or the last of two, and drop the rest unsaid.
            raise EnvelopeRefused("A parameter of the call must come once, as text without elements.")
        seen.add(name)
        is_nil = parameter.get(_NIL, "").strip() in ("true", "1")
        parameter.attrib.clear()
        if name in _NUMBERS:
            text = (parameter.text or "").strip()
            is_nil = is_nil or not text
            if not is_nil and not _NUMBER.fullmatch(text):
                raise EnvelopeRefused(f"{name} must be a whole number.")
        if is_nil:
            call.remove(parameter)
    return call


def _sentence(text: str | None) -> str:
    """`text` as the wire bears it: never None, without the characters that XML forbids."""
    return _FORBIDDEN.sub("", text or "")


def _traceback_without(problem: BaseException, password: str, ticket: str) -> str:
    """The traceback of `problem`, with the password hidden and the ticket cut, whatever its messages quote."""
    text = "".join(traceback.format_exception(problem))
    for secret, shown in ((password, "[password]"), (ticket, ticket[:TICKET_SHOWN])):
        # One or two characters are no secret, and replacing them would leave nothing to read.
        if len(secret) > 2:
            text = text.replace(secret, shown).replace(repr(secret)[1:-1], shown)
    return text
