"""The one tree of expected errors; every room raises from here, the edges turn each into a sentence for a person.

    BotError
    ├── Mistake            the person can put it right: unknown runbook, missing or mistyped input
    ├── Refusal            understood and not allowed: with the reasons as data
    ├── Unavailable        a part we depend on does not answer: the store, Slack, a target
    └── Misconfigured      the operator has to put it right: settings, system.yaml, database roles

Anything outside the tree is a bug: it is caught in one place a process, logged whole and said as "an internal error".
"""

from __future__ import annotations


class BotError(Exception):
    """An expected error: `str()` is one sentence for a person, `hint` says what to do next (may be empty)."""

    def __init__(self, sentence: str, *, hint: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.hint = hint


class Mistake(BotError):
    """The person asked for something that does not exist or does not fit."""


class BadInputs(Mistake):
    """One or more inputs of a runbook are missing or mistyped; `problems` maps the input's name to a sentence."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {problem}" for name, problem in problems.items()))
        self.problems = problems


class Refusal(BotError):
    """Understood and not allowed; `reasons` are the sentences every surface shows."""

    def __init__(self, *reasons: str, hint: str = "") -> None:
        super().__init__(" ".join(reasons), hint=hint)
        self.reasons = reasons


class Unavailable(BotError):
    """A part we depend on did not answer or refused us; nothing was done unless the caller knows otherwise."""


class Misconfigured(BotError):
    """A setting, a system file or a database role is not what the bot needs."""
