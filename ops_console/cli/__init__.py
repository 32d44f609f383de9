"""The command `qbwoo`: nouns, then verbs.

Exit status: 0 done, 1 not done, 2 wrong usage. What is known to go wrong ends
with one sentence on stderr.
"""

from __future__ import annotations

import importlib
from typing import IO, Any

import click
from sqlalchemy.exc import DatabaseError, OperationalError

from ops_console.errors import ConsoleError, SettingsProblem, WrongUsage
from ops_console.terminal import visible
from qbwc_service.errors import QbwcError
from qbxml.errors import QbxmlError
from queue_store.database import is_damaged
from queue_store.errors import BadSetting, StoreError
from woo_bridge.errors import BridgeError

KNOWN = (ConsoleError, StoreError, QbwcError, BridgeError, QbxmlError)

#: Each command: where it is, and its line in the help. Loaded when it is used.
COMMANDS: dict[str, tuple[str, str]] = {
    "serve": ("ops_console.cli.serve:serve", "Run the service."),
    "worker": ("ops_console.cli.serve:worker", "Run another worker."),
    "check": ("ops_console.cli.check:check", "Look through the whole configuration."),
    "demo": ("ops_console.cli.demo:demo", "Show the whole road, with a played shop and QuickBooks."),
    "db": ("ops_console.cli.db:db", "The database: upgrade, check, back up, another key."),
    "company": ("ops_console.cli.company:company", "QuickBooks company files."),
    "store": ("ops_console.cli.store:store", "WooCommerce shops."),
    "qwc": ("ops_console.cli.qwc:qwc", "The Web Connector's file."),
    "push": ("ops_console.cli.push_by_hand:push", "Send records of a shop to QuickBooks."),
    "pull": ("ops_console.cli.pull:pull", "Bring records of QuickBooks to a shop."),
    "reconcile": ("ops_console.cli.reconcile:reconcile", "Hold shop and QuickBooks against each other."),
    "activity": ("ops_console.cli.activity:activity", "The queue."),
    "session": ("ops_console.cli.session:session", "Runs of the Web Connector."),
    "mapping": ("ops_console.cli.mapping_many:mapping", "Which record of a shop is which in QuickBooks."),
    "product": ("ops_console.cli.product:product", "The shops' products beside QuickBooks' items."),
    "task": ("ops_console.cli.task:task", "What waits for a person."),
    "alert": ("ops_console.cli.alert:alert", "What is not as it should be, and who hears of it."),
    "privacy": ("ops_console.cli.privacy:privacy", "How long things are kept, and what is held of a person."),
    "sandbox": ("ops_console.cli.sandbox:sandbox", "A played Web Connector, Point of Sale and shop."),
}


class Failure(click.ClickException):
    """A known error as a command ends with it."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc] # click reads it from the instance

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(visible(self.message), file=file, err=file is None)


class Commands(click.Group):
    """The commands of `COMMANDS`, and the one place where known errors end."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KNOWN as error:
            wrong_usage = isinstance(error, BadSetting | WrongUsage)
            message = str(error)
            if isinstance(error, SettingsProblem):
                message = "Settings are not right:\n" + "\n".join(f"- {line}" for line in error.problems)
            raise Failure(message, 2 if wrong_usage else 1) from error
        except DatabaseError as error:
            reason = (str(error.orig).strip() or "no reason given").splitlines()[0]
            if is_damaged(error):
                raise Failure(f"The database cannot be read: {reason}. Restore a backup.", 1) from error
            if not isinstance(error, OperationalError):
                raise
            raise Failure(f"The database is not available: {reason}. Try again.", 1) from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="qbwoo", prog_name="qbwoo")
def main() -> None:
    """Keeps a WooCommerce shop and QuickBooks in step, through the QuickBooks Web Connector.

    \b
    For example:
      qbwoo company add "Main Street" --flavour pos --username webconnector --password-file pw.txt
      qbwoo serve
    """
