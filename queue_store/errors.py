"""Errors of the database.

* StoreError
  * NotFound            no such company, store, activity ...
  * AlreadyThere        a name is taken
  * IllegalTransition   a state change that the table of transitions does not know
  * LostRace            somebody else changed the activity first
  * LostClaim           another node took a schedule's run over
  * BadSetting          a setting's name or value is wrong
  * WrongSecretKey      something encrypted cannot be read with this key
  * SchemaOutdated      the database is not at the newest migration
"""

from __future__ import annotations


class StoreError(Exception):
    """Something about the database is not as it must be."""


class NotFound(StoreError):
    """`what` called `name` does not exist."""

    def __init__(self, what: str, name: object, hint: str = "") -> None:
        super().__init__(f"There is no {what} {name!r}.{' ' + hint if hint else ''}")
        self.what, self.name = what, name


class AlreadyThere(StoreError):
    """A name that must be unique is taken."""

    def __init__(self, what: str, name: str) -> None:
        super().__init__(f"There is already a {what} called {name!r}. Choose another name.")
        self.what, self.name = what, name


class IllegalTransition(StoreError):
    """A state change that the table of transitions does not know."""

    def __init__(self, activity_id: int, before: str, after: str) -> None:
        super().__init__(f"Activity {activity_id} cannot go from {before} to {after}.")
        self.activity_id, self.before, self.after = activity_id, before, after


class LostRace(StoreError):
    """The activity was changed by somebody else between our reading and our writing."""

    def __init__(self, activity_id: int, expected: str) -> None:
        super().__init__(f"Activity {activity_id} is no longer {expected}; nothing was changed. Look again.")
        self.activity_id, self.expected = activity_id, expected


class LostClaim(StoreError):
    """Another node took a schedule's run over: the piece at hand is not kept, it is done there."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The run of {name} was taken over by another process, which goes on with it.")
        self.name = name


class BadSetting(StoreError):
    """A setting's name or value is wrong."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(f"Setting {key}: {problem}")
        self.key, self.problem = key, problem


class WrongSecretKey(StoreError):
    """A stored secret cannot be read: QBWOO_SECRET_KEY is not the key it was written with (where it is not set, the key in the data folder). Put that key back (after a rotation: NEW,OLD), or enter the store's secrets anew: qbwoo store set."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class UpgradeFailed(StoreError):
    """The database could not be brought to the newest migration; it is as it was. The message is a whole sentence."""


class SchemaOutdated(StoreError):
    """The database is not at the newest migration."""

    def __init__(self, found: str | None, wanted: str | None, *, newer: bool = False) -> None:
        """`newer`: this version does not know the revision."""
        super().__init__(
            f"The database is at revision {found}, which this version does not know: a newer qbwoo was here. "
            f"Install that version again, or restore a backup made before (this version needs {wanted}). "
            "Nothing was changed."
            if newer
            else f"The database is at revision {found or 'none'}, this version needs {wanted}. "
            "Run: qbwoo db upgrade"
        )
        self.found, self.wanted = found, wanted
