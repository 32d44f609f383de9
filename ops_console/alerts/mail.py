"""Alerts by e-mail."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import format_datetime

from ops_console.addresses import is_loopback
from ops_console.alerts.message import Message
from ops_console.errors import NotTold
from ops_console.logging import redact

_PORTS = {"starttls": 587, "tls": 465, "none": 25}


@dataclass(frozen=True, slots=True)
class MailServer:
    """How mail leaves."""

    host: str
    sender: str
    port: int | None = None
    #: "starttls", "tls" or "none".
    security: str = "starttls"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    #: What vouches for the server's certificate; None: what this system trusts.
    trust: ssl.SSLContext | None = field(default=None, repr=False)
    #: For connecting and for each answer of the mail server.
    seconds: float = 10.0

    def send(self, message: Message, to: Sequence[str]) -> str:
        """Send it to all of these; a remark about addresses that were refused, or "". Raises NotTold."""
        if self.password and self.security == "none" and not is_loopback(self.host):
            raise NotTold(
                f"The password of mail server {self.host} would go over the line for all to read. Set QBWOO_SMTP_SECURITY "
                "to starttls or tls."
            )
        try:
            server = self._connected()
            try:
                if self.username:
                    server.login(self.username, self.password or "")
                refused = server.send_message(_mail(message, self.sender, to), self.sender, list(to))
            except BaseException:
                server.close()
                raise
            # It has the mail: however it takes leave, the mail must not go again.
            with suppress(smtplib.SMTPException, OSError):
                server.quit()
            server.close()
        except smtplib.SMTPRecipientsRefused as error:
            raise NotTold(
                f"Mail server {self.host} takes no mail for {', '.join(sorted(error.recipients))}."
            ) from error
        except smtplib.SMTPNotSupportedError as error:
            raise NotTold(f"Mail server {self.host} cannot do what is asked of it: {error}") from error
        except smtplib.SMTPAuthenticationError as error:
            raise NotTold(
                f"Mail server {self.host} does not take the user or the password ({error.smtp_code}). Check "
                "QBWOO_SMTP_USERNAME and QBWOO_SMTP_PASSWORD."
            ) from error
        except smtplib.SMTPResponseException as error:
            raise NotTold(
                f"Mail server {self.host} answered {error.smtp_code} {_said(error.smtp_error)}."
            ) from error
        except (smtplib.SMTPException, OSError) as error:
            raise NotTold(f"Mail server {self.host} cannot be reached: {_said(error)}.") from error
        return f"The mail server takes no mail for {', '.join(sorted(refused))}." if refused else ""

    def _connected(self) -> smtplib.SMTP:
        port = self.port or _PORTS[self.security]
        trust = self.trust or ssl.create_default_context()
        if self.security == "tls":
            return smtplib.SMTP_SSL(self.host, port, timeout=self.seconds, context=trust)
        server = smtplib.SMTP(self.host, port, timeout=self.seconds)
        if self.security == "starttls":
            try:
                server.starttls(context=trust)
            except BaseException:
                server.close()
                raise
        return server


def _mail(message: Message, sender: str, to: Sequence[str]) -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"] = message.subject
    mail["From"], mail["To"] = sender, ", ".join(to)
    mail["Date"] = format_datetime(message.made_at)
    # The same at each try: where the server took one and its answer was lost, mail programs show it once.
    stamp = message.id or int(message.made_at.timestamp() * 1000)
    mail["Message-ID"] = f"<qbwoo-{stamp}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text)
    return mail


def _said(what: object) -> str:
    text = what.decode("utf-8", "replace") if isinstance(what, bytes) else str(what)
    return redact(" ".join(text.split()))[:200].rstrip(".") or type(what).__name__
