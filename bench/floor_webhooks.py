"""The least that a receiver of webhooks can do and still keep what it was sent: a yardstick, not a design.

Reads the body, checks the signature over its bytes, decodes the JSON, inserts
one row, commits (SQLite, WAL, synchronous FULL), answers 200.

    python -m bench.floor_webhooks --port 8102 --secret S --database FILE
"""

from __future__ import annotations

import argparse
import base64
import hmac
import json
import logging
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import waitress
from sqlalchemy import Column, Integer, LargeBinary, MetaData, String, Table, create_engine, event, insert

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_meta = MetaData()
_webhooks = Table(
    "webhooks",
    _meta,
    Column("row", Integer, primary_key=True),
    Column("topic", String(40), nullable=False),
    Column("id", Integer),
    Column("modified", String(25)),
    Column("body", LargeBinary, nullable=False),
)


def make_app(path: str, secret: str) -> WSGIApplication:
    """The receiver, over a new database at `path`."""
    engine = create_engine(f"sqlite:///{path}")

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    _meta.create_all(engine)
    add, key = insert(_webhooks), secret.encode()
    # SQLite lets writers wait by sleeping, which would cost the floor more than it does us.
    turn = threading.Lock()

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        wanted = base64.b64encode(hmac.digest(key, body, "sha256")).decode("ascii")
        if not hmac.compare_digest(wanted, environ.get("HTTP_X_WC_WEBHOOK_SIGNATURE", "")):
            start_response("401 Unauthorized", [("Content-Length", "0")])
            return [b""]
        record = json.loads(body)
        row = {
            "topic": environ.get("HTTP_X_WC_WEBHOOK_TOPIC", ""),
            "id": record.get("id"),
            "modified": record.get("date_modified_gmt"),
            "body": body,
        }
        with turn, engine.begin() as connection:
            connection.execute(add, row)
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "0")])
        return [b""]

    return app


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.floor_webhooks", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--secret", required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--threads", type=int, default=4)
    options = parser.parse_args()
    # It says each time that all threads are busy.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    app = make_app(options.database, options.secret)
    waitress.serve(app, host="127.0.0.1", port=options.port, threads=options.threads)


if __name__ == "__main__":
    main()
