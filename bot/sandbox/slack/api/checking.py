"""Judges blocks and views with `bot.blockkit` and refuses as Slack does; used wherever the bot sends any."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot import blockkit
from bot.blockkit import Problem, limits
from bot.sandbox.slack.errors import ApiError, invalid_arguments, invalid_blocks
from bot.sandbox.slack.records import Json


def check_message(payload: Mapping[str, Any]) -> None:
    """Refuse a message's blocks and attachments as chat.postMessage does; its text is cut, never refused."""
    judged = {key: value for key, value in payload.items() if key != "text"}
    problems = blockkit.validate_message(judged | {"text": str(payload.get("text") or "")[: limits.MESSAGE_TEXT]})
    for problem in problems:
        if own := _own_name(problem):
            raise ApiError(own, errors=[line(problem)])
    if problems:
        raise invalid_blocks("invalid_blocks", [line(problem) for problem in problems])


def _own_name(problem: Problem) -> str | None:
    """The error Slack gives a problem of the whole message, instead of `invalid_blocks`."""
    most = (problem.constraint or {}).get("max")
    if problem.code == blockkit.Code.TOO_BIG and most == limits.MESSAGE_BLOCKS_CHARACTERS:
        return "msg_blocks_too_long"
    if problem.pointer == "/attachments":
        return "too_many_attachments" if problem.code == blockkit.Code.TOO_MANY else "invalid_attachments"
    return None


def check_view(view: Any) -> Json:
    """Refuse a view as views.* do; returns it as a mapping."""
    if not isinstance(view, dict):
        raise invalid_arguments("must provide an object [json-pointer:/view]")
    if problems := blockkit.validate_view(view):
        raise invalid_arguments(*[line(problem, "/view") for problem in problems])
    return view


def line(problem: Problem, under: str = "") -> str:
    """One problem as Slack writes it in `response_metadata.messages`."""
    return f"{problem.message} [json-pointer:{under}{problem.pointer}]"


def blocks_validate(blocks: Any, surface: str) -> list[Json]:
    """The `errors` of blocks.validate."""
    match surface:
        case "message" | "modal" | "home":
            problems = blockkit.validate(blocks, surface)
        case _:
            raise invalid_arguments("must be one of message, modal, home [json-pointer:/surface]")
    return [
        {
            "code": problem.code,
            "message": problem.message,
            "field": problem.field,
            "pointer": problem.pointer,
            "constraint": dict(problem.constraint) if problem.constraint else None,
        }
        for problem in problems
    ]
