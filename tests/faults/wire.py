"""The service over real SOAP and HTTP: each call of a bad day goes through a socket, as a Web Connector's and a shop's do."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ops_console import wsgi
from ops_sandbox.web_connector.soap_client import SoapClient
from qbwc_service.exchange import WebConnectorConversation
from qbwc_service.guard import Guard
from qbwc_service.soap import make_soap_app
from qbwc_service.wsdl import service_wsdl
from tests.serving import serving
from woo_bridge.endpoint import WebhookEndpoint

#: The connectors' addresses, as this machine has them.
_ADDRESSES = {"192.0.2.1": "127.0.0.1", "198.51.100.2": "127.0.0.2"}


class Wire:
    """A served address behind which the service of the day stands, and what calls it."""

    def __init__(self) -> None:
        self._site: Any = None
        self._clients: dict[str, SoapClient] = {}
        self._of_ticket: dict[str, SoapClient] = {}
        self.port = 0

    def __call__(self, environ: Any, start_response: Any) -> Any:
        return self._site(environ, start_response)

    def serve(self, conversation: WebConnectorConversation, endpoint: WebhookEndpoint) -> None:
        """From now on these answer: the service of another day, or one that began anew."""
        soap = Guard(make_soap_app(conversation), wsdl=service_wsdl, public_url=None)
        self._site = wsgi.Site(webhooks=endpoint, paths={wsgi.SOAP_PATH: soap}, pages=endpoint)  # type: ignore[arg-type]

    def post(self, path: str, body: bytes, headers: dict[str, str]) -> str:
        """POST; gives the status line's code and reason."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            answer.read()
            return f"{answer.status} {answer.reason}"
        finally:
            connection.close()

    def close(self) -> None:
        for client in self._clients.values():
            client.close()

    # The calls, as `qbwc_service.conversation.Conversation` names them -------

    def authenticate(self, username: str, password: str, address: str) -> list[str]:
        client = self._client(_ADDRESSES[address])
        answer = client.authenticate(username, password)
        self._of_ticket[answer[0]] = client
        return answer

    def send_request_xml(
        self, ticket: str, hcp_response: str, company: str, country: str, major: int, minor: int
    ) -> str:
        return self._for(ticket).send_request_xml(ticket, hcp_response, company, country, major, minor) or ""

    def receive_response_xml(self, ticket: str, response: str, hresult: str, message: str) -> int:
        return self._for(ticket).receive_response_xml(ticket, response, hresult, message)

    def connection_error(self, ticket: str, hresult: str, message: str) -> str:
        return self._for(ticket).connection_error(ticket, hresult, message) or ""

    def get_last_error(self, ticket: str) -> str:
        return self._for(ticket).get_last_error(ticket) or ""

    def close_connection(self, ticket: str) -> str:
        return self._for(ticket).close_connection(ticket) or ""

    def _for(self, ticket: str) -> SoapClient:
        return self._of_ticket.get(ticket) or self._client("127.0.0.1")

    def _client(self, address: str) -> SoapClient:
        if address not in self._clients:
            url = f"http://127.0.0.1:{self.port}{wsgi.SOAP_PATH}"
            self._clients[address] = SoapClient(url, source_address=address)
        return self._clients[address]


@contextmanager
def wired() -> Iterator[Wire]:
    """A wire on a free port of this machine, with a server thread behind it."""
    wire = Wire()
    with serving(wire) as wire.port:
        try:
            yield wire
        finally:
            wire.close()
