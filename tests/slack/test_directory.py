"""Who somebody is and who may approve, asked of local Slack: fresh enough, and closed when in doubt."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from bot.domain.approval import Person
from bot.domain.system import Group
from bot.errors import Unavailable
from bot.sandbox.slack import LocalSlack
from bot.slack.client import SlackClient
from bot.slack.directory import Directory
from tests.conftest import ManualClock

BILLING = {"billing": Group("billing", "@billing")}


@pytest.fixture
def clock() -> ManualClock:
    """Time under the test's control."""
    return ManualClock()


@pytest.fixture
def directory(client: SlackClient, clock: ManualClock) -> Directory:
    """The directory of the workspace."""
    return Directory(client.calls, clock)


async def test_people_as_they_are(slack: LocalSlack, directory: Directory) -> None:
    """A colleague is a person, a bot a bot, and somebody Slack does not know a stranger."""
    ana, robot = slack.person("ana").id, slack.space.bot_user
    assert await directory.person(ana) == Person(ana, "ana")
    assert (await directory.person(robot)).bot
    assert (await directory.person("U0NOBODY")).stranger


async def test_somebody_who_presses_ten_times_is_asked_about_once(slack: LocalSlack, directory: Directory) -> None:
    """Presses of one person at the same moment share one question to Slack, and its failure, which is not kept."""
    ana = slack.person("ana").id
    found = await asyncio.gather(*(directory.person(ana) for _ in range(10)))
    assert set(found) == {Person(ana, "ana")}
    assert len(slack.journal.calls("users.info")) == 1
    slack.fault("http", "users.info", status=500, times=99)
    others = (directory.person(slack.person("ben").id) for _ in range(10))
    answers = await asyncio.gather(*others, return_exceptions=True)
    assert all(isinstance(answer, Unavailable) for answer in answers)
    slack.faults.clear()
    assert await directory.person(slack.person("ben").id) == Person(slack.person("ben").id, "ben")


@pytest.fixture
async def users() -> AsyncIterator[dict[str, dict[str, Any]]]:
    """What a Slack with deactivated and foreign people says of them, by id; "base" is where it listens."""
    known: dict[str, dict[str, Any]] = {}

    async def answer(request: web.Request) -> web.Response:
        if request.match_info["method"] == "auth.test":
            return web.json_response({"ok": True, "team_id": "T1", "user_id": "U0BOT"})
        return web.json_response({"ok": True, "user": known[request.query["user"]]})

    app = web.Application()
    app.router.add_route("*", "/api/{method}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    known["base"] = {"url": f"http://127.0.0.1:{runner.addresses[0][1]}/api/"}
    yield known
    await runner.cleanup()


async def test_people_leave(users: dict[str, dict[str, Any]], clock: ManualClock) -> None:
    """Failure mode 27: who was deactivated is known to be within half a minute."""
    async with SlackClient("xoxb-x", base_url=users["base"]["url"]) as client:
        directory = Directory(client.calls, clock)
        users["U1"] = {"id": "U1", "team_id": "T1", "deleted": False}
        assert not (await directory.person("U1")).deactivated
        users["U1"]["deleted"] = True
        clock.pass_(seconds=31)
        assert (await directory.person("U1")).deactivated


async def test_people_from_elsewhere_are_strangers(users: dict[str, dict[str, Any]], clock: ManualClock) -> None:
    """Failure mode 26: the team decides; somebody of the same enterprise who is in this workspace too is none."""
    users["U1"] = {"id": "U1", "team_id": "T2"}
    users["U2"] = {"id": "U2", "team_id": "T1", "is_stranger": True}
    users["U3"] = {"id": "U3", "team_id": "T2", "enterprise_user": {"teams": ["T1", "T2"]}}
    users["U4"] = {"id": "U4"}
    async with SlackClient("xoxb-x", base_url=users["base"]["url"]) as client:
        directory = Directory(client.calls, clock)
        strangers = {user: (await directory.person(user)).stranger for user in ("U1", "U2", "U3", "U4")}
    assert strangers == {"U1": True, "U2": True, "U3": False, "U4": True}


async def test_members_of_a_user_group(slack: LocalSlack, directory: Directory) -> None:
    """A group's members are those of the user group with its handle, and the people listed."""
    groups = {"billing": Group("billing", "billing", ("U0ANA",))}
    members = await directory.members(groups)
    assert members == {"billing": {slack.person("ben").id, slack.person("chloe").id, "U0ANA"}}
    assert directory.warnings == ()


async def test_groups_are_remembered_and_forgotten(slack: LocalSlack, directory: Directory, clock: ManualClock) -> None:
    """Groups are asked for once in five minutes, and again at once when Slack says they have changed."""
    ben = slack.person("ben").id
    await directory.members(BILLING)
    (group,) = slack.space.usergroups.values()
    slack.space.usergroups[group.id] = replace(group, users=[ben])
    assert len((await directory.members(BILLING))["billing"]) == 2
    directory.invalidate()
    assert (await directory.members(BILLING))["billing"] == {ben}
    slack.space.usergroups[group.id] = replace(group, users=[])
    clock.pass_(minutes=6)
    assert (await directory.members(BILLING))["billing"] == frozenset()


async def test_unknown_groups_are_empty_and_told(directory: Directory) -> None:
    """Failure mode 8: a handle that does not exist lets nobody in, and says which one it is."""
    members = await directory.members({"ops": Group("ops", "@nobody-here")})
    assert members == {"ops": frozenset()}
    assert "@nobody-here" in directory.warnings[0]


async def test_no_answer_is_an_error_and_not_an_empty_group(slack: LocalSlack, directory: Directory) -> None:
    """When Slack is down nobody is let in, and the person is told that Slack does not answer."""
    slack.fault("http", "usergroups.list", status=500, times=99)
    with pytest.raises(Unavailable):
        await directory.members(BILLING)
