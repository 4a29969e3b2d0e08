"""For `runbook doctor`: whether Slack has the people and the channel that a system's rules are written for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bot.authoring.catalogue import Catalogue
from bot.authoring.dangers import UNREHEARSED
from bot.cli.examined import Examined
from bot.clock import SystemClock
from bot.domain.policy import ApprovalPolicy
from bot.domain.runbook import Action, Runbook
from bot.domain.system import System
from bot.errors import BotError
from bot.settings import Settings
from bot.slack.client import SlackClient
from bot.slack.directory import Directory

_NAMED = 3


async def groups(settings: Settings, catalogue: Catalogue, systems: Sequence[System]) -> list[Examined]:
    """Whether every change can get its votes, and whether support people and their evidence are where they belong."""
    token, clock = settings.slack_bot_token.get_secret_value(), SystemClock()
    found = []
    async with SlackClient(token, base_url=settings.slack_api_url, clock=clock) as client:
        directory = Directory(client.calls, clock)
        for system in systems:
            try:
                members = await directory.members(system.groups)
                found.append(_votes(system, catalogue.of_system(system.id), members))
                found += await _support(system, members, directory)
            except BotError as error:
                found.append(Examined(f"{system.id} people", False, str(error), error.hint))
    return found


def _votes(system: System, runbooks: Iterable[Runbook], members: Mapping[str, frozenset[str]]) -> Examined:
    """Whether every action of the system has enough people who may vote on it."""
    short = {
        f"{runbook.id} {action.key} ({needed} of {' or '.join(action.policy.groups) or 'those named'})": None
        for runbook in runbooks
        for action in runbook.actions.values()
        if len(_voters(action.policy, members)) < (needed := _needed(action))
    }
    name = f"{system.id} approvers"
    if not short:
        return Examined(name, True, "every change can get its votes")
    empty = sorted(group for group, people in members.items() if not people)
    some = ", ".join(list(short)[:_NAMED]) + (f" and {len(short) - _NAMED} more" if len(short) > _NAMED else "")
    mend = f"Nobody is in {', '.join(empty)}." if empty else "Slack's user groups have too few people for these rules."
    return Examined(name, False, f"too few people for {some}", f"{mend} system.yaml says which user group each is.")


def _needed(action: Action) -> int:
    """How many votes an action can come to need: what cannot be rehearsed needs one more."""
    alone = action.policy.confirm and action.kind not in UNREHEARSED
    return 0 if alone else action.policy.votes + (action.kind in UNREHEARSED)


def _voters(policy: ApprovalPolicy, members: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Who may vote from the start; the backup comes only after a while."""
    return frozenset(policy.people).union(*(members.get(group, frozenset()) for group in policy.groups))


async def _support(system: System, members: Mapping[str, frozenset[str]], directory: Directory) -> list[Examined]:
    """Whether support people are known as such, and their full results have a place."""
    if system.support is None:
        return []
    name, files = f"{system.id} support", system.support.files
    if not members.get(system.support.group):
        said = f"nobody is in {system.support.group}, so whoever is not on call and approves nothing counts as support"
        return [Examined(name, False, said, "Give its user group people, or leave `support:` out of system.yaml.")]
    place = None if files is None else await directory.place_called(files)
    if files is not None and (place is None or not place.private or place.shared):
        why = "is shared with others" if place is not None and place.shared else "is no private channel the bot is in"
        return [Examined(name, False, f"full results are kept nowhere: #{files} {why}", "Make it and invite the bot.")]
    return [Examined(name, True, "has people" + (f", and full results go to #{files}" if files else ""))]
