"""A REST call, its answer, and how lists and new records are answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ops_sandbox.shop import listing
from ops_sandbox.shop.wire import Doc, as_bool, as_int


@dataclass(frozen=True)
class RestCall:
    """One call: `body` is the JSON of the request, `home` the address for its links.

    `before_item` is called before each item of a batch, with its place from 0.
    """

    method: str
    path: str
    query: dict[str, str]
    body: Doc
    home: str
    before_item: Callable[[int], None] | None = None

    @property
    def force(self) -> bool:
        """force=true in the query or the body: delete for good."""
        return as_bool(self.query.get("force", self.body.get("force")))

    @property
    def places(self) -> int:
        """Decimals of money, `dp`."""
        return as_int(self.query.get("dp", 2))

    @property
    def url(self) -> str:
        """The address called, without the query."""
        return f"{self.home}{self.path}"


@dataclass(frozen=True)
class RestAnswer:
    """Status, body and the headers beyond the usual ones."""

    body: object
    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)


def page_answer(
    call: RestCall, docs: list[Doc], render: Callable[[Doc], Doc], default_per_page: int = 10
) -> RestAnswer:
    """One page of `docs`, with its headers."""
    page = listing.page_of(docs, call.query, default_per_page=default_per_page)
    headers = listing.page_headers(page, call.url, call.query)
    return RestAnswer([render(doc) for doc in page.docs], headers=headers)


def created(body: Doc) -> RestAnswer:
    """201 with the new record and its Location."""
    return RestAnswer(body, 201, [("Location", body["_links"]["self"][0]["href"])])
