"""Posts signed orders over connections that stay open, in a process of its own, and tells how long each took.

    python -m bench.webhook_client URL --secret S [--count 5000] [--connections 8] [--first-id 200001]

Everything is signed before the clock starts: what is measured is the receiver.
Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import gc
import hmac
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from urllib.parse import SplitResult, urlsplit

from bench.figures import quantile
from bench.orders import Line, body_of, make_order

_LINES = tuple(Line(f"SKU-{number}", 2, Decimal("19.99")) for number in range(3))
_HEAD = (
    "POST {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: WooCommerce/11.0.1 Hookshot (WordPress/7.0.4)\r\n"
    "Accept: */*\r\nAccept-Encoding: deflate, gzip, br, zstd\r\nContent-Type: application/json\r\n"
    "X-WC-Webhook-Source: https://shop.example/\r\nX-WC-Webhook-Topic: order.updated\r\n"
    "X-WC-Webhook-Resource: order\r\nX-WC-Webhook-Event: updated\r\nX-WC-Webhook-Signature: {signature}\r\n"
    "X-WC-Webhook-ID: 5\r\nX-WC-Webhook-Delivery-ID: 4de2dc4a454463757ef51b883c72acac\r\n"
    "Content-Length: {length}\r\n\r\n"
)


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench.webhook_client", description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--secret", required=True)
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--first-id", type=int, default=200_001)
    options = parser.parse_args(words)
    address = urlsplit(options.url)
    if address.hostname != "127.0.0.1":
        parser.error("only 127.0.0.1 is posted to")
    deliveries = [
        delivery(address, options.secret, options.first_id + number) for number in range(options.count)
    ]
    # The collector would stop the clock's process now and then, not the receiver.
    gc.collect()
    gc.disable()
    print(json.dumps(asyncio.run(_post_all(address, deliveries, options.connections))))
    return 0


def delivery(address: SplitResult, secret: str, order_id: int) -> bytes:
    """One request, head and body, rightly signed."""
    body = body_of(make_order(order_id, _LINES, f"buyer{order_id % 500}@example.net"))
    head = _HEAD.format(
        path=address.path or "/",
        host=address.netloc,
        signature=base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode("ascii"),
        length=len(body),
    )
    return head.encode("ascii") + body


async def _post_all(address: SplitResult, deliveries: list[bytes], connections: int) -> dict[str, object]:
    # Shared: the next free connection takes the next one.
    waiting = iter(deliveries)
    seconds: list[float] = []
    statuses: Counter[int] = Counter()
    cpu, began = time.process_time(), time.perf_counter()
    await asyncio.gather(*(_connection(address, waiting, seconds, statuses) for _ in range(connections)))
    wall = time.perf_counter() - began
    return {
        "answered": sum(statuses.values()),
        "ok": statuses[200],
        "wall_s": wall,
        "client_cpu_s": time.process_time() - cpu,
        "p50_ms": quantile(seconds, 0.5) * 1000,
        "p99_ms": quantile(seconds, 0.99) * 1000,
        "max_ms": max(seconds) * 1000,
    }


async def _connection(
    address: SplitResult, waiting: Iterator[bytes], seconds: list[float], statuses: Counter[int]
) -> None:
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    for request in waiting:
        began = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length))
        seconds.append(time.perf_counter() - began)
        statuses[int(head[9:12])] += 1
    writer.close()
    await writer.wait_closed()


if __name__ == "__main__":
    sys.exit(main())
