"""Walks a document along its specs and notes every problem; the engine behind the public validators."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Collection, Mapping, Sequence
from typing import assert_never

from bot.blockkit.blocks import BLOCKS, KINDS
from bot.blockkit.problem import Code, Report, join
from bot.blockkit.rules import RULES
from bot.blockkit.spec import Flag, Int, Kind, ListOf, Num, Rule, Shape, Spec, Str, Surface, Text


class Walker:
    """One walk over one message or view: remembers the ids it has met."""

    def __init__(self, surface: Surface, report: Report) -> None:
        self.surface: Surface = surface
        self.report = report
        self._block_ids: set[str] = set()
        self._action_ids: set[str] = set()
        self._focused = False

    def blocks(self, blocks: object, pointer: str, most: int, least: int = 0) -> None:
        """A surface's list of blocks, at most `most` of them."""
        for index, block in enumerate(self._list(blocks, pointer, least, most)):
            self.value(block, Kind(tuple(BLOCKS), block=True), join(pointer, index))

    def value(self, value: object, rule: Rule, pointer: str) -> None:
        """Any value against its rule."""
        match rule:
            case Str():
                self._string(value, rule, pointer)
            case Flag() | Int() | Num():
                self._scalar(value, rule, pointer)
            case Text():
                self._text(value, rule, pointer)
            case ListOf():
                self._items(value, rule, pointer)
            case Kind():
                self._kind(value, rule, pointer)
            case Shape():
                self._shape(value, rule, pointer)
            case _:
                assert_never(rule)

    def _mistyped(self, wanted: str, value: object, pointer: str) -> None:
        actual = _named(value)
        self.report.add(
            Code.WRONG_TYPE, f"must be {wanted}, not {actual}", pointer, {"wanted": wanted, "actual": actual}
        )

    def _string(self, value: object, rule: Str, pointer: str) -> None:
        if not isinstance(value, str):
            self._mistyped("a string", value, pointer)
            return
        if rule.choices:
            if value not in rule.choices:
                said = f"must be one of {', '.join(rule.choices)}{_meant(value, rule.choices)}"
                self.report.add(Code.INVALID_VALUE, said, pointer, {"choices": list(rule.choices)})
            return
        if len(value) < rule.min:
            said = "must not be empty" if rule.min == 1 else f"must have at least {rule.min} characters"
            self.report.add(Code.TOO_SHORT, said, pointer, {"min": rule.min, "actual": len(value)})
        elif rule.max is not None and len(value) > rule.max:
            said = f"must be at most {rule.max} characters, not {len(value)}"
            self.report.add(Code.TOO_LONG, said, pointer, {"max": rule.max, "actual": len(value)})
        elif rule.pattern and not re.fullmatch(rule.pattern, value):
            said = f"is not of the form {rule.example}"
            self.report.add(Code.INVALID_VALUE, said, pointer, {"pattern": rule.pattern})

    def _scalar(self, value: object, rule: Flag | Int | Num, pointer: str) -> None:
        match rule:
            case Flag():
                if not isinstance(value, bool):
                    self._mistyped("true or false", value, pointer)
            case Int():
                self._integer(value, rule, pointer)
            case Num():
                if not isinstance(value, int | float) or isinstance(value, bool) or not _finite(value):
                    self._mistyped("a number", value, pointer)
            case _:
                assert_never(rule)

    def _integer(self, value: object, rule: Int, pointer: str) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            self._mistyped("a whole number", value, pointer)
        elif (rule.min is not None and value < rule.min) or (rule.max is not None and value > rule.max):
            bounds = {name: bound for name, bound in (("min", rule.min), ("max", rule.max)) if bound is not None}
            words = " and ".join(f"at {'least' if name == 'min' else 'most'} {bound}" for name, bound in bounds.items())
            self.report.add(Code.INVALID_VALUE, f"must be {words}", pointer, bounds)

    def _text(self, value: object, rule: Text, pointer: str) -> None:
        self.value(value, Kind(("plain_text",) if rule.plain else ("plain_text", "mrkdwn")), pointer)
        text = value.get("text") if isinstance(value, Mapping) else None
        # Longer than any text object may be is already said by the object's own rule.
        longest = KINDS["mrkdwn"].fields["text"]
        if isinstance(text, str) and isinstance(longest, Str) and rule.max < len(text) <= (longest.max or 0):
            said = f"must be at most {rule.max} characters, not {len(text)}"
            self.report.add(Code.TOO_LONG, said, join(pointer, "text"), {"max": rule.max, "actual": len(text)})

    def _list(self, value: object, pointer: str, least: int, most: int | None) -> Sequence[object]:
        if not isinstance(value, list | tuple):
            self._mistyped("a list", value, pointer)
            return ()
        if len(value) < least:
            said = f"must have at least {least} {'item' if least == 1 else 'items'}, not {len(value)}"
            self.report.add(Code.TOO_FEW, said, pointer, {"min": least, "actual": len(value)})
        if most is not None and len(value) > most:
            said = f"must have at most {most} items, not {len(value)}"
            self.report.add(Code.TOO_MANY, said, pointer, {"max": most, "actual": len(value)})
        return value

    def _items(self, value: object, rule: ListOf, pointer: str) -> None:
        for index, item in enumerate(self._list(value, pointer, rule.min, rule.max)):
            if not (item is None and rule.nullable):
                self.value(item, rule.item, join(pointer, index))

    def _shape(self, value: object, rule: Shape, pointer: str) -> None:
        if isinstance(value, Mapping):
            self._object(value, rule.spec, pointer, None)
        else:
            self._mistyped("an object", value, pointer)

    def _kind(self, value: object, rule: Kind, pointer: str) -> None:
        if not isinstance(value, Mapping):
            self._mistyped("an object", value, pointer)
            return
        name = value.get("type")
        table = BLOCKS if rule.block else KINDS
        if "type" not in value:
            self.report.add(Code.MISSING_FIELD, "type is missing", join(pointer, "type"))
        elif not isinstance(name, str):
            self._mistyped("a string", name, join(pointer, "type"))
        elif name not in rule.kinds:
            code = Code.NOT_ALLOWED_HERE if name in KINDS else Code.UNSUPPORTED_TYPE
            said = f"{name!r} is not allowed here" if name in KINDS else f"unsupported type: {name!r}"
            said += _meant(name, rule.kinds)
            self.report.add(code, said, join(pointer, "type"), {"choices": list(rule.kinds)})
        else:
            self._typed(value, name, table[name], pointer)

    def _typed(self, value: Mapping[object, object], name: str, spec: Spec, pointer: str) -> None:
        if self.surface not in spec.surfaces:
            said = f"{name!r} is not allowed in a {self.surface}, only in: {', '.join(sorted(spec.surfaces))}"
            self.report.add(Code.NOT_ALLOWED_HERE, said, join(pointer, "type"), {"surfaces": sorted(spec.surfaces)})
        if "block_id" not in spec.fields:
            self._object(value, spec, pointer, name)
            return
        outer, self._action_ids = self._action_ids, set()
        self._object(value, spec, pointer, name)
        self._action_ids = outer

    def _object(self, value: Mapping[object, object], spec: Spec, pointer: str, name: str | None) -> None:
        known = spec.fields if name is None else {**spec.fields, "type": Str()}
        for key, content in value.items():
            if not isinstance(key, str) or key not in known:
                said = f"unknown field {key!r}{_meant(str(key), known)}"
                self.report.add(Code.UNKNOWN_FIELD, said, join(pointer, key))
            elif key in spec.fields:
                self.value(content, spec.fields[key], join(pointer, key))
                self._remember(key, content, join(pointer, key))
        self._presence(value, spec, pointer)
        for rule in RULES.get(name or "", ()):
            rule(value, pointer, self.report)

    def _presence(self, value: Mapping[object, object], spec: Spec, pointer: str) -> None:
        for key in spec.required:
            if key not in value:
                self.report.add(Code.MISSING_FIELD, f"{key} is missing", join(pointer, key))
        for group in (*spec.at_least_one, *spec.exactly_one):
            if not any(key in value for key in group):
                said = f"one of {', '.join(group)} is missing"
                self.report.add(Code.MISSING_FIELD, said, pointer, {"one_of": list(group)})
        for group in spec.exactly_one:
            if sum(key in value for key in group) > 1:
                said = f"only one of {', '.join(group)} may be given"
                self.report.add(Code.CONFLICT, said, pointer, {"one_of": list(group)})

    def _remember(self, key: str, content: object, pointer: str) -> None:
        if key == "focus_on_load" and content is True:
            if self._focused:
                self.report.add(Code.DUPLICATE, "only one element may take the focus on load", pointer)
            self._focused = True
        seen = {"block_id": self._block_ids, "action_id": self._action_ids}.get(key)
        if seen is None or not isinstance(content, str):
            return
        if content in seen:
            place = "message or view" if key == "block_id" else "block"
            self.report.add(Code.DUPLICATE, f"{key} {content!r} is used twice in one {place}", pointer)
        seen.add(content)


def _finite(value: float) -> bool:
    # A whole number too large for a float is still a finite number.
    return isinstance(value, int) or math.isfinite(value)


def _named(value: object) -> str:
    """A JSON value's type in JSON's own words."""
    if value is None:
        return "null"
    names = ((bool, "a boolean"), (int | float, "a number"), (str, "a string"), (list | tuple, "a list"))
    fallback = "an object" if isinstance(value, Mapping) else type(value).__name__
    return next((name for kind, name in names if isinstance(value, kind)), fallback)


def _meant(word: str, words: Collection[str]) -> str:
    close = difflib.get_close_matches(word[:80], words, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""
