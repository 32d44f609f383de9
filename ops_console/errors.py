"""Errors of the operator's side, each a sentence for the operator.

* ConsoleError
  * SettingsProblem       process settings are wrong; all of them at once
  * NotDone               a command could not do what was asked
  * NotTold               a message about alerts did not arrive (now)
  * WrongUsage            a command was asked for something that makes no sense
"""

from __future__ import annotations

from collections.abc import Sequence


class ConsoleError(Exception):
    """A command cannot go on."""


class SettingsProblem(ConsoleError):
    """Process settings are wrong."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class NotDone(ConsoleError):
    """Something asked for was not done, and why."""


class NotTold(ConsoleError):
    """A message about alerts did not arrive; it is tried again."""


class WrongUsage(ConsoleError):
    """Something was asked for that makes no sense."""
