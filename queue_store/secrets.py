"""Secrets at rest: encrypted with one key, passwords hashed, tickets digested."""

from __future__ import annotations

import hashlib
import secrets as random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from queue_store.errors import WrongSecretKey


def split_keys(keys: str) -> list[str]:
    """Several keys in one text, separated by commas or white space."""
    return keys.replace(",", " ").split()


class SecretBox:
    """Encrypts what must be read again: consumer secrets and webhook secrets."""

    def __init__(self, keys: str, *, read_again: Callable[[], str] | None = None) -> None:
        """`keys`: the first encrypts, each opens. `read_again` gives them anew where none of them opens a secret:
        they may have been rotated while this process ran. Raises ValueError for what is no key.
        """
        self._keys, self._read_again = keys, read_again
        self._fernet = _fernet(keys)

    @staticmethod
    def new_key() -> str:
        """A fresh key, as it may stand in QBWOO_SECRET_KEY."""
        return Fernet.generate_key().decode()

    def seal(self, text: str) -> bytes:
        return self._fernet.encrypt(text.encode())

    def open(self, sealed: bytes) -> str:
        """Raises WrongSecretKey."""
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken as error:
            if self._is_rotated():
                return self.open(sealed)
            raise WrongSecretKey from error

    def seal_again(self, sealed: bytes) -> bytes:
        """The same secret, encrypted with the first key. Raises WrongSecretKey."""
        return self.seal(self.open(sealed))

    def _is_rotated(self) -> bool:
        """True if there are other keys now than those that were tried."""
        keys = self._keys if self._read_again is None else self._read_again()
        if keys == self._keys:
            return False
        self._keys, self._fernet = keys, _fernet(keys)
        return True


def _fernet(keys: str) -> MultiFernet:
    return MultiFernet([Fernet(key.encode()) for key in split_keys(keys)])


# About 15 ms a check on a small server: QuickBooks' polls are rare, and guessing is throttled besides.
_hasher = PasswordHasher(time_cost=2, memory_cost=8 * 1024, parallelism=1)
# A check takes 8 MiB, and the thread that made one keeps them for its next. So one thread makes them all, in turn.
_in_turn = ThreadPoolExecutor(1, "qbwoo-passwords")


def hash_password(password: str) -> str:
    return _in_turn.submit(_hasher.hash, password).result()


def password_fits(password: str, hashed: str) -> bool:
    try:
        return _in_turn.submit(_hasher.verify, hashed, password).result()
    except (VerificationError, InvalidHashError):
        return False


@cache
def decoy_hash() -> str:
    """Checked when the user is unknown, so that the time taken does not tell."""
    return hash_password(random.token_hex(16))


def new_ticket() -> str:
    """A ticket in the usual form of a GUID in braces, with 122 random bits."""
    digits = random.token_hex(16)
    parts = (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
    return "{" + "-".join(parts) + "}"


def ticket_digest(ticket: str) -> str:
    return hashlib.sha256(ticket.encode()).hexdigest()
