"""`qbwoo demo`: the whole road on one machine."""

from __future__ import annotations

import signal
from pathlib import Path

import click

from ops_console.errors import NotDone


@click.command()
@click.option("--once", is_flag=True, help="One full round, then end: 0 if both sides are equal, else 1.")
@click.option(
    "--port", default=0, type=click.IntRange(0, 65535), help="Port of the service; by default a free one."
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="An empty folder for all files, which are kept; by default a temporary one.",
)
def demo(once: bool, port: int, folder: Path | None) -> None:
    """Show the whole road: shop, webhooks, qbwoo, Web Connector, QuickBooks.

    The service is the real one; a shop, a QuickBooks Point of Sale and a Web
    Connector are played on this machine. Nothing leaves it, and nothing that is
    set up on it is touched.

    \b
    For example:
      qbwoo demo
      qbwoo demo --once --folder /tmp/qbwoo-demo
    """
    from ops_console.cli.demo_screen import Screen
    from ops_console.demo import show
    from ops_console.demo.folder import DemoFolder

    # Asked to end, it ends as by Ctrl-C: everything stops, and a temporary folder goes.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    screen, used = Screen(), DemoFolder(folder)
    keep = True
    try:
        keep = not show.run(screen, used.path, port=port, once=once)
    except KeyboardInterrupt:
        keep = False
        screen.line("\nStopped.")
        if once:
            raise NotDone("The round was not ended.") from None
        return
    finally:
        if word := used.leave(keep=keep):
            screen.line(word)
    if keep:
        raise NotDone("The round did not end as it must: see above.")
