"""Errors of the played Web Connector.

* WebConnectorError
  * QwcRefused               the Web Connector would not take the .qwc file
  * NoSchedule               Auto-Run without a Scheduler and without an interval
  * CallFailed               one SOAP call came to nothing; a run ends on it
    - ServiceNotReached      no connection, a broken one, or no answer in time
      - CertificateRefused   the service's certificate is not trusted or names another host
    - HttpStatusRefused      redirects, 401, 404 and their like
    - AnswerUnreadable       not text/xml, empty, not well-formed, no SOAP 1.1, a wrong value
    - FaultReceived          a SOAP Fault; its faultstring is what the user sees
"""

from __future__ import annotations


class WebConnectorError(Exception):
    """The played Web Connector could not go on."""


class QwcRefused(WebConnectorError):
    """The Web Connector would not take this .qwc file.

    `code` is its own, such as "QBWC1010"; `sentence` says which element and what to do.
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(f"{code}: {sentence}")
        self.code = code
        self.sentence = sentence


class NoSchedule(WebConnectorError):
    """Auto-Run needs an interval: give `every_seconds`, or a Scheduler in the .qwc file."""

    def __init__(self, app_name: str) -> None:
        super().__init__(f"{app_name}: {self.__doc__}")
        self.app_name = app_name


class CallFailed(WebConnectorError):
    """One call came to nothing. `purpose` is the SOAP method, or "GET" for a check."""

    def __init__(self, purpose: str, url: str, sentence: str) -> None:
        super().__init__(f"{purpose} at {url}: {sentence}")
        self.purpose = purpose
        self.url = url
        self.sentence = sentence


class ServiceNotReached(CallFailed):
    """No connection, a connection that broke off, or no answer in time."""


class CertificateRefused(ServiceNotReached):
    """The service's certificate is not trusted here, or names another host."""


class HttpStatusRefused(CallFailed):
    """The service answered with a status that carries no SOAP answer; redirects are not followed."""

    def __init__(self, purpose: str, url: str, status: int, reason: str) -> None:
        super().__init__(purpose, url, f"The request failed with HTTP status {status}: {reason}.")
        self.status = status


class AnswerUnreadable(CallFailed):
    """The answer is no SOAP 1.1 envelope as the Web Connector's .NET client reads it."""


class FaultReceived(CallFailed):
    """A SOAP Fault; `faultstring` is the text that the Web Connector shows to its user."""

    def __init__(self, purpose: str, url: str, faultcode: str, faultstring: str) -> None:
        super().__init__(purpose, url, faultstring or "a SOAP Fault without faultstring")
        self.faultcode = faultcode
        self.faultstring = faultstring
