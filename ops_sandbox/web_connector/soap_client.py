"""The service's eight methods, called as the Web Connector calls them.

One object is one kept connection, used through a session and closed after it.
There is no cookie jar: the ticket is the only state.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from ops_sandbox.web_connector.transport import CONTINUE_WAIT, HttpConnection
from ops_sandbox.web_connector.wire import TNS, SoapAnswer, read_answer, unwritable, write_envelope

#: As the .NET 4 run time names itself; block lists of web robots know it.
USER_AGENT = "Mozilla/4.0 (compatible; MSIE 6.0; MS Web Services Client Protocol 4.0.30319.42000)"


class SoapClient:
    """Calls to the service at `url`; any call raises `CallFailed`.

    `timeout` is in seconds and for a whole call. `source_address` is the local address to
    call from, `ca_file` a file of certificates to trust besides the system's, and
    `continue_wait` the seconds for which a body waits for `100 Continue`.

    A parameter of None is left out of the request. A string result is None where the
    service left the element out or put it into another namespace. `remarks` tells what was
    odd about the last answer although it was read.
    """

    def __init__(
        self,
        url: str,
        timeout: float = 100,
        source_address: str | None = None,
        *,
        ca_file: Path | None = None,
        continue_wait: float = CONTINUE_WAIT,
    ) -> None:
        self.url = url
        self.remarks: tuple[str, ...] = ()
        self._connection = HttpConnection(
            url,
            timeout=timeout,
            source_address=source_address,
            ca_file=ca_file,
            continue_wait=continue_wait,
        )

    def __enter__(self) -> SoapClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Drop the connection. The next call opens another."""
        self._connection.close()

    def server_version(self) -> str | None:
        """The service's product and version, for the log."""
        return self._string(self._post("serverVersion"))

    def client_version(self, version: str | None) -> str | None:
        """ "" to go on, or text after `W:`, `E:` or `O:`."""
        return self._string(self._post("clientVersion", strVersion=version))

    def authenticate(self, user_name: str | None, password: str | None) -> list[str]:
        """The array: ticket, company or `none`/`nvu`/`busy`, postponement, lower limit of the interval.

        As long as the service made it, which may be too short: who takes an element that
        is not there gets IndexError, as the Web Connector does.
        """
        answer = self._post("authenticate", strUserName=user_name, strPassword=password)
        strings = answer.as_strings()
        self.remarks = tuple(answer.remarks)
        return strings

    def send_request_xml(
        self,
        ticket: str | None,
        hcp_response: str | None,
        company_file_name: str | None,
        country: str | None,
        major_version: int,
        minor_version: int,
    ) -> str | None:
        """The next message set, `NoOp`, or "" for "ask getLastError"."""
        answer = self._post(
            "sendRequestXML",
            ticket=ticket,
            strHCPResponse=hcp_response,
            strCompanyFileName=company_file_name,
            qbXMLCountry=country,
            qbXMLMajorVers=major_version,
            qbXMLMinorVers=minor_version,
        )
        return self._string(answer)

    def receive_response_xml(
        self, ticket: str | None, response: str | None, hresult: str | None, message: str | None
    ) -> int:
        """Percent done, 100 for the end, negative for an error; 0 also where the result is missing."""
        answer = self._post(
            "receiveResponseXML", ticket=ticket, response=response, hresult=hresult, message=message
        )
        return answer.as_int()

    def connection_error(self, ticket: str | None, hresult: str | None, message: str | None) -> str | None:
        """`done` to give up, anything else is the company file to try next."""
        return self._string(self._post("connectionError", ticket=ticket, hresult=hresult, message=message))

    def get_last_error(self, ticket: str | None) -> str | None:
        """The text for the user, `NoOp`, or `Interactive mode`."""
        return self._string(self._post("getLastError", ticket=ticket))

    def close_connection(self, ticket: str | None) -> str | None:
        """The text for the status column."""
        return self._string(self._post("closeConnection", ticket=ticket))

    def _post(self, method: str, **parameters: str | int | None) -> SoapAnswer:
        self.remarks = ()
        try:
            envelope = write_envelope(method, tuple(parameters.items()))
        except UnicodeEncodeError as error:
            raise unwritable(method, self.url, error) from error
        headers = (
            ("User-Agent", USER_AGENT),
            ("Content-Type", "text/xml; charset=utf-8"),
            ("SOAPAction", f'"{TNS}{method}"'),
        )
        answer = read_answer(method, self.url, self._connection.request(method, "POST", headers, envelope))
        self.remarks = tuple(answer.remarks)
        return answer

    def _string(self, answer: SoapAnswer) -> str | None:
        return answer.as_string()
