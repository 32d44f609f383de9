"""The grammar compiled into the plans of `plans`.

A plan is made once per message, edition and version; what the edition or the
version does not know is not in it, so that it is refused like a misspelt name.
"""

from __future__ import annotations

from .errors import NotInEnum, OutOfRange, UnknownMessage, ValueTooLong
from .grammar import Choice, Element, Entry, Grammar, Message
from .markup import escaped
from .plans import AggregatePlan, Attributes, Branch, Macro, MessagePlan, Write
from .values import TO_TEXT, ToText, macro_text


class PlanCompiler:
    """Makes the plans of one grammar, edition and version.

    With edition "" the request must be good for every edition: every element
    is known, the shortest limit holds, and what an edition lacks is not required.
    With `windows_1252`, characters that it does not hold are refused.
    """

    def __init__(
        self, grammar: Grammar, edition: str = "", version: str = "", windows_1252: bool = True
    ) -> None:
        self._grammar = grammar
        self._edition = edition
        self._version = _number(version or grammar.version)
        self._narrow = windows_1252
        self._convert = TO_TEXT[grammar.dialect]

    def message(self, name: str) -> MessagePlan:
        """The plan of the request `name`; raises UnknownMessage."""
        message = self._grammar.messages.get(name)
        if message is None or name not in self._grammar.request_set.messages or not self._knows(message):
            raise UnknownMessage(name, self._grammar.dialect)
        attributes = Attributes(message.attrs, self._convert, self._narrow)
        body = self._aggregate(name, message.content, Attributes({}, self._convert, self._narrow))
        return MessagePlan(message, attributes, body)

    def _aggregate(self, name: str, content: tuple[Entry, ...], attributes: Attributes) -> AggregatePlan:
        plan = AggregatePlan(name, attributes)
        plan.finish(self._branch(plan, content, ())[0])
        return plan

    def _branch(
        self,
        plan: AggregatePlan,
        content: tuple[Entry, ...],
        within: tuple[tuple[int, int], ...],
        chosen_anew: bool = False,
    ) -> tuple[Branch, list[str]]:
        """Add `content` to `plan`; what it requires, and the names it holds.

        With `chosen_anew`, `content` is a branch of a choice that repeats.
        """
        required: list[str] = []
        choices: list[int] = []
        names: list[str] = []
        for entry in content:
            if not self._knows(entry):
                continue
            demanded = entry.required and (bool(self._edition) or not entry.not_in)
            if isinstance(entry, Choice):
                group = plan.add_group(entry.repeats)
                for number, branch in enumerate(entry.branches):
                    # A repeated pair of elements could not be told from two lists.
                    assert not entry.repeats or len(branch) == 1, branch
                    inside = (*within, (group, number))
                    finished, held = self._branch(plan, branch, inside, entry.repeats)
                    plan.close_branch(group, finished, held)
                    names.extend(held)
                # A choice whose branches this edition does not know cannot be made.
                if demanded and plan.offers(group):
                    choices.append(group)
            else:
                plan.add_slot(entry.name, self._element(entry), entry.repeats or chosen_anew, within)
                names.append(entry.name)
                if demanded:
                    required.append(entry.name)
        return Branch(tuple(required), tuple(choices)), names

    def _knows(self, entry: Entry | Message) -> bool:
        if entry.since is not None and _number(entry.since) > self._version:
            return False
        return not self._edition or self._edition not in entry.not_in

    def _element(self, element: Element) -> Write:
        if element.type is None:
            attributes = Attributes(element.attrs, self._convert, self._narrow)
            return self._aggregate(element.name, element.content, attributes).write
        limit = element.length(self._edition)
        if limit is None and not self._edition and element.lengths:
            limit = min(element.lengths.values())
        convert = _narrowed(self._convert[element.type], element)
        return _simple(element, convert, limit, self._narrow)


def _simple(element: Element, convert: ToText, limit: int | None, narrow: bool) -> Write:
    """A writer of one simple element."""
    start, end, empty = f"<{element.name}>", f"</{element.name}>", f"<{element.name}/>"
    # An empty element clears a field; an identity or an amount that is required cannot be cleared.
    may_be_empty = not element.required or element.type == "STRTYPE"
    macro = element.macro

    def write(value: object) -> str:
        if value.__class__ is str and not value and may_be_empty:
            return empty
        if macro and isinstance(value, Macro):
            return f'<{element.name} useMacro="{escaped(macro_text(value.name))}"/>'
        text = convert(value)
        if limit is not None and len(text) > limit:
            raise ValueTooLong("", value, limit)
        return start + escaped(text, narrow) + end

    return write


def _narrowed(convert: ToText, element: Element) -> ToText:
    """`convert` with the words or the bounds of `element`."""
    if element.enum is not None:
        words, allowed = element.enum, frozenset(element.enum)

        def word(value: object) -> str:
            text = convert(value)
            if text not in allowed:
                raise NotInEnum("", value, words)
            return text

        return word
    if element.minimum is not None or element.maximum is not None:
        lowest = None if element.minimum is None else int(element.minimum)
        highest = None if element.maximum is None else int(element.maximum)

        def bounded(value: object) -> str:
            text = convert(value)
            if (lowest is not None and int(text) < lowest) or (highest is not None and int(text) > highest):
                raise OutOfRange("", value, lowest, highest)
            return text

        return bounded
    return convert


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
