"""What the texts of a runbook read: every expression and template is compiled once and its names are looked up."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bot.authoring.filters import FUNCTIONS
from bot.authoring.ledger import Ledger
from bot.authoring.problems import did_you_mean, nearest
from bot.authoring.reading import Path
from bot.authoring.templates import Expression, Template, TemplateError, compile_expression, compile_template

GIVEN = frozenset({"inputs", "run", "actor", "now"})
_WORDS = frozenset(
    [
        "and",
        "or",
        "not",
        "in",
        "is",
        "if",
        "else",
        "for",
        "true",
        "false",
        "none",
        "loop",
        "self",
        "super",
        "caller",
        "varargs",
        "kwargs",
        "recursive",
    ]
)
RESERVED = GIVEN | _WORDS | frozenset(FUNCTIONS)


@dataclass(frozen=True, slots=True)
class Names:
    """The names that texts of one runbook may use: its inputs, its checks and what every scope has."""

    inputs: frozenset[str]
    checks: frozenset[str]

    @property
    def known(self) -> frozenset[str]:
        """All of them."""
        return self.inputs | self.checks | GIVEN


class References:
    """Compiles the texts of one document, notes what is wrong with them, and says which checks they read."""

    def __init__(self, ledger: Ledger, names: Names) -> None:
        self.names = names
        self._ledger = ledger

    def expression(self, text: str, path: Path) -> frozenset[str]:
        """The checks an expression reads."""
        return self._compiled(compile_expression, text, path)

    def template(self, text: str, path: Path) -> frozenset[str]:
        """The checks a template reads."""
        return self._compiled(compile_template, text, path)

    def bound(self, names: Iterable[str], path: Path) -> frozenset[str]:
        """The checks that `:names` of a statement are bound to by themselves."""
        found = frozenset(names)
        for name in sorted(found - self.names.known):
            near = nearest(name, self.names.known - GIVEN)
            hint = f"Did you mean «:{near}»?" if near else f"Add «{name}» to bind: or to inputs:."
            self._ledger.error(path, f"Nothing is bound to «:{name}».", hint)
        return found & self.names.checks

    def _compiled(self, compile_: Callable[[str], Expression | Template], text: str, path: Path) -> frozenset[str]:
        try:
            compiled = compile_(text)
        except TemplateError as error:
            self._ledger.error(path, str(error), error.hint, line=error.line)
            return frozenset()
        for name in sorted(compiled.names - self.names.known):
            hint = did_you_mean(name, self.names.known)
            self._ledger.error(path, f"«{name}» is neither an input nor a check.", hint)
        for name in sorted(compiled.inputs - self.names.inputs):
            hint = did_you_mean(name, self.names.inputs)
            self._ledger.error(path, f"There is no input «{name}».", hint)
        return compiled.names & self.names.checks


def circle(needs: dict[str, frozenset[str]]) -> tuple[str, ...]:
    """Some keys that need each other in a circle, in order, or nothing."""
    done: set[str] = set()
    for start in needs:
        way: list[str] = []
        stack = [(start, iter(sorted(needs[start] & needs.keys())))]
        while stack:
            key, rest = stack[-1]
            if len(way) < len(stack):
                way.append(key)
            following = next(rest, None)
            if following is None:
                done.add(key)
                stack.pop()
                way.pop()
            elif following in way:
                return (*way[way.index(following) :], following)
            elif following not in done:
                stack.append((following, iter(sorted(needs[following] & needs.keys()))))
    return ()
