"""Which ways lead to the people of a company, from the settings of the process and of the company."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ops_console.alerts.mail import MailServer
from ops_console.alerts.message import Message
from ops_console.alerts.post import Poster
from ops_console.errors import NotTold
from ops_console.settings import ProcessSettings
from queue_store.alerts import Telling
from queue_store.settings import Settings
from queue_store.timetable import Timetable

MAIL, URL = "mail", "url"
CHANNELS = (MAIL, URL)


@dataclass(frozen=True, slots=True)
class Channels:
    """The ways of this process; where they lead is said by company."""

    #: None: no mail server is set.
    mail_server: MailServer | None
    poster: Poster
    #: Where a company names nobody itself.
    mail_to: tuple[str, ...] = ()
    url: str = ""

    def of(self, settings: Settings) -> tuple[str, ...]:
        """Those of `CHANNELS` that lead to somebody of the company whose settings these are."""
        ways = []
        if self.mail_server is not None and self._mail_to(settings):
            ways.append(MAIL)
        if self._url(settings):
            ways.append(URL)
        return tuple(ways)

    def send(self, channel: str, settings: Settings, message: Message) -> str:
        """Send it; a remark, or "". Raises NotTold."""
        if channel not in self.of(settings):
            raise NotTold(f"Nothing leads there by {channel} any more: the settings were changed.")
        if channel == URL:
            self.poster.send(message, self._url(settings))
            return ""
        assert self.mail_server is not None
        return self.mail_server.send(message, self._mail_to(settings))

    def told_how(self, settings: Settings, now: datetime) -> Telling:
        """How the company whose settings these are wants to be told at this moment."""
        quiet = Timetable(quiet=settings["alerts.quiet"], zone=settings["alerts.time_zone"] or UTC)
        return Telling(
            channels=self.of(settings),
            pause=timedelta(minutes=settings["alerts.pause_minutes"]),
            reminder=timedelta(hours=settings["alerts.reminder_hours"]),
            when_over=settings["alerts.when_over"],
            is_quiet=quiet.after_quiet(now) != now,
        )

    def _mail_to(self, settings: Settings) -> tuple[str, ...]:
        own: tuple[str, ...] = settings["alerts.mail_to"]
        return own or self.mail_to

    def _url(self, settings: Settings) -> str:
        own: str = settings["alerts.url"]
        return own or self.url


def channels_of(settings: ProcessSettings) -> Channels:
    """As the settings of the process say."""
    server = None
    if settings.smtp_host is not None and settings.mail_from is not None:
        server = MailServer(
            host=settings.smtp_host,
            sender=settings.mail_from,
            port=settings.smtp_port,
            security=settings.smtp_security,
            username=settings.smtp_username,
            password=settings.smtp_password,
        )
    return Channels(
        mail_server=server,
        poster=Poster(settings.alert_secret, settings.allow_private_stores),
        mail_to=settings.alert_mail_to,
        url=settings.alert_url or "",
    )
