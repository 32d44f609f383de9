"""A QuickBooks Web Connector, played: it adds a .qwc file, logs in, and carries sets to QuickBooks.

    qwc = QwcFile.read(Path("shop.qwc"))
    qwc.add_checks()
    report = WebConnector(qwc, password, company_file).run_once()

Written from the protocol alone, it works against any service that a real Web
Connector could use, and is as severe as the real one.
"""

from ops_sandbox.web_connector.connector import WebConnector
from ops_sandbox.web_connector.errors import (
    AnswerUnreadable,
    CallFailed,
    CertificateRefused,
    FaultReceived,
    HttpStatusRefused,
    NoSchedule,
    QwcRefused,
    ServiceNotReached,
    WebConnectorError,
)
from ops_sandbox.web_connector.events import Event, log_line
from ops_sandbox.web_connector.faults import Every, Faults, Once, StoredAnswer, Strike
from ops_sandbox.web_connector.qwc_file import QwcFile
from ops_sandbox.web_connector.report import Outcome, RunReport
from ops_sandbox.web_connector.soap_client import SoapClient

__all__ = [
    "AnswerUnreadable",
    "CallFailed",
    "CertificateRefused",
    "Event",
    "Every",
    "FaultReceived",
    "Faults",
    "HttpStatusRefused",
    "NoSchedule",
    "Once",
    "Outcome",
    "QwcFile",
    "QwcRefused",
    "RunReport",
    "ServiceNotReached",
    "SoapClient",
    "StoredAnswer",
    "Strike",
    "WebConnector",
    "WebConnectorError",
    "log_line",
]
