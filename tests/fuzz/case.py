"""One case: what is sent, to be kept small and sent again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path


@dataclass(frozen=True)
class Case:
    """`data` is what was mutated: a body, an answer, or a whole request. `place` is where of the corpus it was."""

    what: str
    number: int
    data: bytes
    place: int = 0
    path: str = ""
    method: str = "POST"
    #: In CGI's names.
    headers: dict[str, str] = field(default_factory=dict)
    hresult: str = ""
    message: str = ""
    #: Tickets and requestIDs of the moment, which another run has others for.
    names: tuple[str, ...] = ()
    #: Whether valid sessions follow at once, instead of after the batch.
    deep: bool = False

    def renamed(self, names: tuple[str, ...]) -> Case:
        """The same case with the names of another run."""
        data = self.data
        for old, new in zip(self.names, names, strict=False):
            data = data.replace(old.encode(), new.encode())
        return replace(self, data=data, names=names)

    def save(self, folder: Path) -> Path:
        """Write it as JSON; gives the file."""
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{self.what}-{hashlib.sha256(self.data).hexdigest()[:12]}.json"
        file.write_text(json.dumps(asdict(self) | {"data": self.data.decode("latin-1")}, indent=1))
        return file

    @classmethod
    def load(cls, file: Path) -> Case:
        kept = json.loads(file.read_text())
        return cls(**kept | {"data": kept["data"].encode("latin-1"), "names": tuple(kept["names"])})


def shrunk(case: Case, fails: Callable[[Case], bool], *, most: int = 400) -> Case:
    """A smaller case that fails too: ever smaller pieces of its data are left out, and its headers."""
    tried = 0
    size = max(1, len(case.data) // 2)
    while size and tried < most:
        for smaller in _without(case, size):
            tried += 1
            if fails(smaller):
                case = smaller
                break
            if tried >= most:
                break
        else:
            size //= 2
    for name in list(case.headers):
        fewer = replace(case, headers={key: value for key, value in case.headers.items() if key != name})
        if fails(fewer):
            case = fewer
    return case


def _without(case: Case, size: int) -> Iterator[Case]:
    for start in range(0, len(case.data), size):
        yield replace(case, data=case.data[:start] + case.data[start + size :])
