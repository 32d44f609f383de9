"""Process settings: read once, from QBWOO_* and from a file named by QBWOO_CONFIG.

The environment goes before the file. Every setting may also come from a file
of its own, named by QBWOO_..._FILE, as secrets are handed to containers. No
other module reads the environment.
"""

from __future__ import annotations

import ipaddress
import os
import re
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from ops_console.addresses import service_address
from ops_console.errors import SettingsProblem
from ops_console.logging import LOG_FORMATS
from queue_store.secrets import SecretBox
from queue_store.setting_forms import mail_addresses, web_address

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
#: What a database URL may begin with. "postgres://" is what hosting services hand out.
_SQLITE, _POSTGRESQL, _ALIASES = "sqlite", "postgresql+psycopg", ("postgresql", "postgres")
_DATABASE_FILE = "qbwoo.db"
#: Shorter ones can be guessed.
_LEAST_SECRET = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSettings:
    """How this process runs. What a company or a shop wants stands in the database."""

    data_dir: Path
    database_url: str = field(repr=False)
    #: None: one is made, and kept, in `data_dir`.
    secret_key: str | None = field(default=None, repr=False)
    #: Address under which shops and the Web Connector reach this service, without a slash at its end.
    public_url: str | None = None
    log_level: str = "INFO"
    #: "text" or "json".
    log_format: str = "text"
    #: True: shops may live at addresses of a private network.
    allow_private_stores: bool = False
    #: Proxies whose X-Forwarded-For and -Proto are believed.
    trusted_proxies: tuple[Network, ...] = ()
    #: Who shows it may read /metrics; None: who asks from this very machine.
    metrics_token: str | None = field(default=None, repr=False)
    #: Mail server through which alerts go; None: none do. Port None: the usual one of `smtp_security`.
    smtp_host: str | None = None
    smtp_port: int | None = None
    #: "starttls", "tls" or "none".
    smtp_security: str = "starttls"
    smtp_username: str | None = None
    smtp_password: str | None = field(default=None, repr=False)
    #: Address that alerts come from.
    mail_from: str | None = None
    #: Who is told where a company does not name others; an address that alerts are posted to may be secret as a whole.
    alert_mail_to: tuple[str, ...] = ()
    alert_url: str | None = field(default=None, repr=False)
    #: Signs what is posted.
    alert_secret: str | None = field(default=None, repr=False)

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith(_SQLITE)

    @property
    def database_file(self) -> Path | None:
        """The SQLite file; None with PostgreSQL."""
        database = make_url(self.database_url).database if self.is_sqlite else None
        return Path(database) if database else None

    @property
    def shown_database_url(self) -> str:
        """For people: without the password."""
        return make_url(self.database_url).render_as_string(hide_password=True)


@dataclass(frozen=True, slots=True)
class _Variable:
    """How one setting is written: `parse` raises ValueError for what is not of the `form`."""

    parse: Callable[[str], Any]
    form: str
    secret: bool = False


def read_settings(environ: Mapping[str, str] | None = None) -> ProcessSettings:
    """The settings of this process. Raises SettingsProblem, naming every problem at once."""
    reader = _Reader(os.environ if environ is None else environ)
    found = {name: reader.value(name, variable) for name, variable in _VARIABLES.items()}
    reader.finish()
    if found["data_dir"] is None:
        found["data_dir"] = default_data_dir(reader.environ)
    if found["database_url"] is None:
        found["database_url"] = f"{_SQLITE}:///{found['data_dir'] / _DATABASE_FILE}"
    return ProcessSettings(**{name: value for name, value in found.items() if value is not None})


def default_data_dir(environ: Mapping[str, str]) -> Path:
    """Where programs of one user keep their data on this system."""
    if sys.platform == "win32":
        base = environ.get("LOCALAPPDATA")
        return (Path(base) if base else Path.home() / "AppData" / "Local") / "qbwoo"
    # The XDG rule: a path that is not absolute must be ignored.
    base = environ.get("XDG_DATA_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".local" / "share") / "qbwoo"


def unknown_variables(environ: Mapping[str, str] | None = None) -> list[str]:
    """QBWOO_* variables that nothing reads: most likely misspelt."""
    known = {f"QBWOO_{name.upper()}" for name in _VARIABLES} | {"QBWOO_CONFIG"}
    return sorted(
        name
        for name in (os.environ if environ is None else environ)
        if name.startswith("QBWOO_")
        and not name.startswith("QBWOO_TEST_")
        and name.removesuffix("_FILE") not in known
    )


class _Reader:
    """Reads values and collects what is wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self._problems: list[str] = []
        self._file = self._read_file()

    def value(self, name: str, variable: _Variable) -> Any:
        """The parsed value, or None if it is not set (or wrong, which is remembered)."""
        given = self._given(name)
        if given is None:
            return None
        text, source = given
        try:
            return variable.parse(text)
        except ValueError as error:
            shown = "the value" if variable.secret else repr(text)
            detail = f" ({error})" if str(error) and not variable.secret else ""
            self._problems.append(f"{source}: {shown} does not fit; expected {variable.form}{detail}.")
            return None

    def finish(self) -> None:
        """Raises SettingsProblem."""
        for key in self._file:
            if key.removesuffix("_file") not in _VARIABLES:
                self._problems.append(
                    f"{key} in {self.environ['QBWOO_CONFIG']}: is not known. "
                    f"Known are: {', '.join(sorted(_VARIABLES))}."
                )
        if self._problems:
            raise SettingsProblem(self._problems)

    def _given(self, name: str) -> tuple[str, str] | None:
        """Text and source of a setting. An empty variable counts as not set."""
        upper = f"QBWOO_{name.upper()}"
        if text := self.environ.get(upper, "").strip():
            if self.environ.get(f"{upper}_FILE"):
                self._problems.append(f"{upper} and {upper}_FILE: both are set; expected only one of them.")
            return text, upper
        if path := self.environ.get(f"{upper}_FILE"):
            return self._contents(path, f"{upper}_FILE")
        where = f"in {self.environ.get('QBWOO_CONFIG')}"
        if name in self._file:
            value = self._file[name]
            # TOML has types of its own; a list is written with commas in the environment.
            text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
            return text.strip(), f"{name} {where}"
        if f"{name}_file" in self._file:
            return self._contents(str(self._file[f"{name}_file"]), f"{name}_file {where}")
        return None

    def _contents(self, path: str, source: str) -> tuple[str, str] | None:
        try:
            return Path(path).expanduser().read_text(encoding="utf-8").strip(), f"{source} ({path})"
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not text in UTF-8"
            self._problems.append(f"{source}: {path!r} cannot be read: {reason}; expected a file.")
            return None

    def _read_file(self) -> dict[str, Any]:
        path = self.environ.get("QBWOO_CONFIG")
        if not path:
            return {}
        try:
            with Path(path).expanduser().open("rb") as file:
                return tomllib.load(file)
        except OSError as error:
            self._problems.append(
                f"QBWOO_CONFIG: {path!r} cannot be read: {error.strerror}; expected a TOML file."
            )
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            self._problems.append(f"QBWOO_CONFIG: {path!r} is not TOML: {error}.")
        return {}


def _database_url(value: str) -> str:
    try:
        url = make_url(value)
    except ArgumentError:
        raise ValueError("") from None
    if url.drivername in _ALIASES:
        url = url.set(drivername=_POSTGRESQL)
    if url.drivername not in (_SQLITE, _POSTGRESQL):
        raise ValueError("")
    if url.drivername == _SQLITE and (not url.database or url.database == ":memory:"):
        raise ValueError("")
    return url.render_as_string(hide_password=False)


def _secret_key(value: str) -> str:
    SecretBox(value)
    return value


def _log_level(value: str) -> str:
    if value.upper() not in LOG_LEVELS:
        raise ValueError
    return value.upper()


def _among(*allowed: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value.lower() not in allowed:
            raise ValueError
        return value.lower()

    return parse


def _long_enough(value: str) -> str:
    if len(value) < _LEAST_SECRET or not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError
    return value


def _port(value: str) -> int:
    if not 1 <= int(value) <= 65535:
        raise ValueError
    return int(value)


def _host(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.:-]{1,255}", value):
        raise ValueError
    return value


def _one_address(value: str) -> str:
    (address,) = mail_addresses(value)
    return address


def _boolean(value: str) -> bool:
    folded = value.lower()
    if folded in ("true", "yes", "on", "1"):
        return True
    if folded in ("false", "no", "off", "0"):
        return False
    raise ValueError


def _networks(value: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(word.strip()) for word in value.split(",") if word.strip())


_VARIABLES: Mapping[str, _Variable] = {
    "data_dir": _Variable(lambda value: Path(value).expanduser().absolute(), "a folder"),
    # Secret as a whole: it may carry a password.
    "database_url": _Variable(
        _database_url, "sqlite:////path/to/file or postgresql+psycopg://user:password@host/name", secret=True
    ),
    "secret_key": _Variable(
        _secret_key,
        "32 random bytes in URL-safe base 64 (44 characters); while keys are rotated several, NEW,OLD",
        secret=True,
    ),
    "public_url": _Variable(service_address, "an address such as https://qbwoo.example.com"),
    "log_level": _Variable(_log_level, "one of " + ", ".join(LOG_LEVELS)),
    "log_format": _Variable(_among(*LOG_FORMATS), " or ".join(LOG_FORMATS)),
    "allow_private_stores": _Variable(_boolean, "true or false"),
    "trusted_proxies": _Variable(_networks, "IP addresses or networks, separated by commas"),
    "metrics_token": _Variable(
        _long_enough, f"at least {_LEAST_SECRET} characters without blanks", secret=True
    ),
    "smtp_host": _Variable(_host, "the name of a mail server"),
    "smtp_port": _Variable(_port, "1 to 65535"),
    "smtp_security": _Variable(_among("starttls", "tls", "none"), "starttls, tls or none"),
    "smtp_username": _Variable(str, "the user of the mail server"),
    "smtp_password": _Variable(str, "the password of that user", secret=True),
    "mail_from": _Variable(_one_address, "an e-mail address"),
    "alert_mail_to": _Variable(mail_addresses, "e-mail addresses, separated by commas"),
    "alert_url": _Variable(web_address, "an address such as https://example.com/alerts", secret=True),
    "alert_secret": _Variable(
        _long_enough, f"at least {_LEAST_SECRET} characters without blanks", secret=True
    ),
}
assert set(_VARIABLES) == {setting.name for setting in fields(ProcessSettings)}
