"""`qbwoo company`: QuickBooks company files."""

from __future__ import annotations

from typing import IO

import click
from msgspec import to_builtins

from ops_console import handwork
from ops_console.cli.desk import Desk, with_desk
from ops_console.cli.output import (
    ask,
    json_option,
    moment,
    print_json,
    print_record,
    print_rows,
    remark,
    yes_option,
)
from ops_console.cli.passwords import SecretFile, first_line
from ops_console.cli.setting import print_settings
from ops_console.errors import NotDone, WrongUsage
from queue_store.calibrations import FAILED, is_practice, newest
from queue_store.calibrations import ask as ask_for
from queue_store.companies import (
    FLAVOURS,
    add_company,
    change_company,
    get_company,
    list_companies,
    list_stores,
)
from queue_store.company_setting_list import COMPANY_SETTINGS
from queue_store.quoting import quoted
from queue_store.settings import company_settings, set_company_setting


@click.group()
def company() -> None:
    """QuickBooks company files."""


@company.command()
@click.argument("name")
@click.option(
    "--flavour", type=click.Choice(FLAVOURS), default="pos", show_default=True, help="Which QuickBooks."
)
@click.option("--username", required=True, help="Name that the Web Connector logs in with.")
@click.option("--password-file", required=True, type=SecretFile, help="File with the password; - for stdin.")
@click.option("--company-file", default="", help="What QuickBooks must open; empty: the file that is open.")
@json_option
@with_desk
def add(
    desk: Desk,
    name: str,
    flavour: str,
    username: str,
    password_file: IO[str],
    company_file: str,
    as_json: bool,
) -> None:
    """Add the company NAME.

    \b
    For example:
      qbwoo company add Main --flavour pos --username webconnector --password-file pw.txt \\
        --company-file "Computer Name=TILL1;Company Data=My Shop;Version=18"
    """
    password = first_line(password_file, "password")
    with desk.write() as db:
        made = add_company(
            db, name=name, flavour=flavour, username=username, password=password, company_file=company_file
        )
        record = {
            "name": made.name,
            "flavour": made.flavour,
            "username": made.username,
            "file_id": made.file_guid,
        }
    print_record(record, as_json=as_json)


@company.command()
@click.argument("name")
@click.option("--username", help="Name that the Web Connector logs in with; its .qwc must be written anew.")
@click.option("--password-file", type=SecretFile, help="File with the password; - for stdin.")
@click.option("--company-file", help="What QuickBooks must open; empty: the file that is open.")
@json_option
@with_desk
def change(
    desk: Desk,
    name: str,
    username: str | None,
    password_file: IO[str] | None,
    company_file: str | None,
    as_json: bool,
) -> None:
    """Change the Web Connector's account or the company file of the company NAME.

    \b
    For example:
      qbwoo company change Main --company-file "Computer Name=TILL1;Company Data=My Shop;Version=19"
      qbwoo company change Main --password-file pw.txt
    """
    if username is None and password_file is None and company_file is None:
        raise WrongUsage("Say what to change: --username, --password-file or --company-file.")
    password = first_line(password_file, "password") if password_file else None
    with desk.write() as db:
        found = get_company(db, name)
        change_company(
            db, found, username=username, password=password, company_file=company_file, who=desk.who
        )
        record = {"name": name, "username": found.username, "company_file": found.company_file}
    print_record(record, as_json=as_json)
    if username is not None:
        remark(f"Write its file anew and add it to the Web Connector again: qbwoo qwc write {quoted(name)}")
    elif password is not None:
        remark("Type the new password into the Web Connector, too.")


@company.command("list")
@json_option
@with_desk
def list_(desk: Desk, as_json: bool) -> None:
    """List the companies.

    \b
    For example:
      qbwoo company list
    """
    with desk.read() as db:
        rows = [
            {
                "name": found.name,
                "flavour": found.flavour,
                "username": found.username,
                "company_file": found.company_file,
                "stores": [store.name for store in list_stores(db, found.id)],
                "stopped": company_settings(db, found)["documents.stopped"],
                "created_at": found.created_at,
            }
            for found in list_companies(db)
        ]
    print_rows(
        rows,
        ("name", "flavour", "username", "company_file", "stores", "stopped"),
        as_json=as_json,
        empty="There is no company yet. Run: qbwoo company add",
    )


@company.command()
@click.argument("name")
@click.option("--report", "only_report", is_flag=True, help="Show what the last one found; send nothing.")
@json_option
@yes_option
@with_desk
def calibrate(desk: Desk, name: str, only_report: bool, as_json: bool, yes: bool) -> None:
    """Find out how the Point of Sale of company NAME computes, and set the switches by it.

    In practice mode only: the next run of the Web Connector sends some twenty
    receipts and returns, reads what comes of them, and reverses them again.

    \b
    For example:
      qbwoo company calibrate Main
      qbwoo company calibrate Main --report
    """
    from qbwc_service.calibration_report import report_decoder, shown_report

    if not only_report:
        with desk.read() as db:
            if not is_practice(get_company(db, name)):
                raise NotDone(
                    f"Company {name} is not in practice mode, and a calibration writes receipts. Choose File > Practice in "
                    "Point of Sale, add a company whose --company-file ends with ;Practice=Yes, and calibrate that."
                )
        ask(
            "Some twenty receipts will be written to the practice company and reversed again. Go on?", yes=yes
        )
        with desk.write() as db:
            ask_for(db, get_company(db, name), who=desk.who)
        remark(
            "It goes with the next run of the Web Connector. Then see: "
            f"qbwoo company calibrate {quoted(name)} --report"
        )
        return
    with desk.read() as db:
        last = newest(db, get_company(db, name).id)
        if last is None:
            raise NotDone(f"Company {name} was never calibrated. Run: qbwoo company calibrate {quoted(name)}")
        state, sentence, stored, finished = last.state, last.sentence, last.report, last.finished_at
    if state == FAILED:
        raise NotDone(f"The calibration of {name} failed. {sentence}")
    if stored is None:
        raise NotDone(f"The calibration of {name} waits for the Web Connector, or is under way.")
    report = report_decoder.decode(stored)
    if as_json:
        print_json({"finished_at": finished, **to_builtins(report)})
        return
    print_rows(shown_report(report), ("question", "answer", "set", "why"))
    left = f"; not reversed: {', '.join(report.left)}" if report.left else ", all reversed"
    remark(f"{report.receipts} receipts were written{left}. Finished {moment(finished)}.")


@company.command("set")
@click.argument("name")
@click.argument("key", required=False)
@click.argument("value", required=False)
@json_option
@with_desk
def set_(desk: Desk, name: str, key: str | None, value: str | None, as_json: bool) -> None:
    """Set KEY of the company NAME to VALUE; without KEY show all settings, without VALUE show that one.

    \b
    For example:
      qbwoo company set Main tax.mode line
      qbwoo company set Main
    """
    if key is not None and value is not None:
        with desk.write() as db:
            changed = get_company(db, name)
            set_company_setting(db, changed, key, value, who=desk.who)
            stores = [store.name for store in list_stores(db, changed.id)]
        if key.startswith("stock.") or key in ("currency", "items.keys"):
            for store in stores:
                handwork.look_at_products(desk.database, store, f"{key} was changed")
    with desk.read() as db:
        print_settings(COMPANY_SETTINGS, company_settings(db, get_company(db, name)), key, as_json=as_json)
