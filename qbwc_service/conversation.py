"""What the SOAP edge asks of the conversation behind it, one method for each call of the Web Connector.

A parameter that is missing on the wire and one that is empty arrive alike, as "".
Every method must bear a repeat: an answer may be lost on its way back, and
the Web Connector's HTTP client then posts the same call again.
"""

from __future__ import annotations

from typing import Protocol


class Conversation(Protocol):
    """The service side of the Web Connector's protocol, without SOAP.

    What a method raises becomes a SOAP fault, which ends the session.
    Source: QuickBooks Web Connector Programmer's Guide, chapter on the web service's methods.
    """

    def server_version(self) -> str:
        """Product and version, for the Web Connector's log."""
        ...

    def client_version(self, version: str) -> str:
        """`""` to go on, or `W:`, `E:`, `O:` and a text."""
        ...

    def authenticate(self, username: str, password: str, address: str) -> list[str]:
        """Ticket, then `""`, a company, `none`, `nvu` or `busy`, then up to two numbers of seconds.

        `address` is the client's, after the proxies that the server trusts.
        """
        ...

    def send_request_xml(
        self, ticket: str, hcp_response: str, company_file_name: str, country: str, major: int, minor: int
    ) -> str:
        """A message set as XML, `NoOp`, or `""`, which makes the Web Connector call getLastError.

        `major` and `minor` are the highest version that QuickBooks knows; 0 when they were not sent.
        """
        ...

    def receive_response_xml(self, ticket: str, response: str, hresult: str, message: str) -> int:
        """Percent done, 100 to end the session, below 0 for a failure."""
        ...

    def connection_error(self, ticket: str, hresult: str, message: str) -> str:
        """`done`, or the company to try next."""
        ...

    def get_last_error(self, ticket: str) -> str:
        """The sentence for the operator, `NoOp`, or `Interactive mode`; never `""`."""
        ...

    def close_connection(self, ticket: str) -> str:
        """The sentence for the status column; bears unknown, empty and closed tickets."""
        ...

    def get_interactive_url(self, ticket: str, session_id: str) -> str:
        """The page to open in interactive mode."""
        ...

    def interactive_rejected(self, ticket: str, reason: str) -> str:
        """The user refused interactive mode, or did not answer."""
        ...

    def interactive_done(self, ticket: str) -> str:
        """`Done` when the user has finished, `""` to be asked again."""
        ...
