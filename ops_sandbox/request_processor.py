"""The seam between the Web Connector and a company file: QuickBooks' request processor.

On Windows it is a COM component on the machine of the Web Connector. Here it is
two protocols and one error, which the played Web Connector uses and the played
company files fulfil.
"""

from __future__ import annotations

from typing import Protocol


class RequestProcessorError(Exception):
    """The request processor failed; nothing in the set can be assumed executed or not executed.

    `hresult` is the text that the Web Connector passes on, such as "0x80040400".
    """

    def __init__(self, hresult: str, message: str) -> None:
        super().__init__(f"{hresult}: {message}")
        self.hresult = hresult
        self.message = message


class RequestProcessorSession(Protocol):
    """An open company file. Iterators live as long as it does."""

    #: What the Web Connector passes as `strHCPResponse` with the first sendRequestXML.
    hcp_response: str
    #: What it passes as `strCompanyFileName`.
    company_file_name: str
    country: str
    major_version: int
    minor_version: int

    def process(self, request: str) -> str:
        """The response document to one message set. Raises `RequestProcessorError`."""
        ...

    def end(self) -> None:
        """Close; a second call does nothing."""
        ...


class RequestProcessor(Protocol):
    """QuickBooks on this machine."""

    def begin_session(self, company_file: str) -> RequestProcessorSession:
        """Open `company_file` ("" means the one now open). Raises `RequestProcessorError`."""
        ...
