"""`qbwoo qwc`: the file with which the Web Connector learns of the service."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ops_console import wsgi
from ops_console.addresses import told_address
from ops_console.cli.desk import Desk, with_desk
from ops_console.cli.output import ask, remark, yes_option
from ops_console.cli.paths import FilePath
from ops_console.errors import NotDone, WrongUsage
from queue_store.companies import get_company
from queue_store.settings import company_settings


@click.group()
def qwc() -> None:
    """The Web Connector's file."""


@qwc.command()
@click.argument("company")
@click.option(
    "--url", help="Address of this service, such as https://qbwoo.example.com; default: QBWOO_PUBLIC_URL."
)
@click.option(
    "-o",
    "--output",
    required=True,
    type=FilePath(allow_dash=True),
    help="File.",
)
@click.option(
    "--rehearsal", is_flag=True, help="Allow plain http on this machine, for the played Web Connector."
)
@yes_option
@with_desk
def write(desk: Desk, company: str, url: str | None, output: Path, rehearsal: bool, yes: bool) -> None:
    """Write the .qwc of COMPANY, to be added to the Web Connector beside QuickBooks.

    \b
    For example:
      qbwoo qwc write Main --url https://qbwoo.example.com -o main.qwc
    """
    from qbwc_service.qwc import QwcInvalid, render_qwc

    app_url = service_url(told_address(url, desk.settings.public_url))
    with desk.read() as db:
        found = get_company(db, company)
        minutes = company_settings(db, found)["qwc.minutes"]
        try:
            data = render_qwc(
                app_name=f"qbwoo {found.name}",
                app_url=app_url,
                support_url=f"{app_url}/support",
                username=found.username,
                owner_guid=found.owner_guid,
                file_guid=found.file_guid,
                qb_type="QBPOS" if found.flavour == "pos" else "QBFS",
                every_minutes=minutes,
                description="Keeps the WooCommerce shop and QuickBooks in step.",
                allow_plain_http=rehearsal,
            )
        except QwcInvalid as error:
            hint = " For the played Web Connector on this machine add --rehearsal." if not rehearsal else ""
            raise WrongUsage(f"{error}{hint if app_url.startswith('http://') else ''}") from error
    if str(output) == "-":
        sys.stdout.buffer.write(data)
        return
    try:
        if output.exists() and output.read_bytes() != data:
            ask(f"{output} exists. Replace it?", yes=yes)
        output.write_bytes(data)
    except OSError as error:
        raise NotDone(f"{output} cannot be written: {error.strerror}.") from error
    remark(f"{output}: add it to the Web Connector, and enter the password of {found.username} there.")


def service_url(base: str) -> str:
    """The SOAP service's own URL, from the address of the whole service or from itself."""
    return base if base.endswith(wsgi.SOAP_PATH) else base + wsgi.SOAP_PATH
