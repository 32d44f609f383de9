"""Errors of the Web Connector's side.

* QbwcError
  * NotSendable          a record cannot become a document; the sentence says why and what to do
    * TaxRatesUnknown    QuickBooks has to be asked for its tax rates first
  * UnreadableAnswer     QuickBooks' answer is not what was asked for
"""

from __future__ import annotations


class QbwcError(Exception):
    """Something about the exchange with QuickBooks is not as it must be."""


class NotSendable(QbwcError):
    """A record cannot become a document as it is. `sentence` is for the operator."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class TaxRatesUnknown(NotSendable):
    """The document is predicted by QuickBooks' own tax rates, and it was never asked for them."""


class UnreadableAnswer(QbwcError):
    """QuickBooks' answer is not what was asked for; what was sent is in doubt."""
