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
    from ops_console.demo import show
    from ops_console.demo.screen import Screen

    # Asked to end, it ends as by Ctrl-C: everything stops, and the temporary folder goes.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    screen = Screen()
    try:
        with show.demo_folder(folder) as used:
            done = show.run(screen, used, port=port, once=once)
    except KeyboardInterrupt:
        screen.line("\nEverything has stopped.")
        if once:
            raise
        return
    if folder is not None:
        screen.line(f"Everything is kept in {folder}")
    if not done:
        raise NotDone("The round did not end as it must; see above.")
