"""Names of people's own in the commands that sentences give."""

from __future__ import annotations

import re
import shlex

#: What a shell reads into a text between double quotes.
_READ = re.compile(r'["$`\\!%]')


def quoted(name: str) -> str:
    """`name` as one word of a command: between double quotes where possible, which Windows reads too."""
    if shlex.quote(name) == name or _READ.search(name):
        return shlex.quote(name)
    return f'"{name}"'
