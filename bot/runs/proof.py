"""What a voter gives beside being who Slack says, and how it is read."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.approval import ApprovalRequest

MISCOUNTED = "That is not how many rows it changes; the preview says the number."


@dataclass(frozen=True, slots=True)
class Proof:
    """What a voter gives beside being who Slack says: a code of their authenticator, the name of the target, or how
    many rows a large change has."""

    code: str = ""
    name: str = ""
    rows: str = ""


def to_type(request: ApprovalRequest) -> str:
    """What a voter types to prove that they know what they are about to change."""
    return " ".join(request.named.split()) or request.action


def number_typed(typed: str) -> int | None:
    """The number that somebody typed, with or without marks between its digits."""
    digits = "".join(sign for sign in typed if sign not in " ,.'\u00a0\u202f")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 12 else None
