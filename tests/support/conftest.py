"""A sandbox with a runbook that would tell everything, and eyes that read all of Slack."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from bot.cli.sandbox import populated
from bot.domain.masking import token
from bot.domain.run import ActionStatus, CheckStatus
from bot.sandbox.postgres import Postgres
from bot.sandbox.slack import payloads
from bot.sandbox.slack.blocks import elements
from bot.sandbox.slack.records import Channel, File
from bot.slack.verbs import Ref, Verb
from bot.store import audit
from tests.acceptance.conftest import Scene
from tests.builders import tree

FIRST = """
id: RB-920
title: Wrong address
severity: P1
resolve_within: 20m
inputs:
  email: {type: email, label: E-mail address}
checks:
  account:
    title: Whose it is
    sql: |
      SELECT id, name AS customer, upper(contact_email) AS written, contact_email
      FROM businesses WHERE contact_email = :email
    expect: one_row
  others:
    title: Everybody
    sql: |
      SELECT id, name, contact_email, subscription_tier
      FROM businesses WHERE name !~ '[6-9][0-9]|[0-9]{3}' ORDER BY name
  told:
    title: In words
    compute: {values: {line: "account.row.customer ~ ' <' ~ account.row.contact_email ~ '>'", many: others.count}}
  broken:
    title: What goes wrong
    sql: "SELECT CAST(contact_email AS integer) AS number FROM businesses WHERE contact_email = :email"
  which:
    title: Which one
    ask: "Which one is meant instead of {{ account.row.contact_email }}?"
    choose: {from: others.rows, value: contact_email, label: [name, subscription_tier]}
  listed:
    title: What is owed
    checklist:
      told: {title: "{{ account.row.customer }} was called", help: "Under {{ account.row.contact_email }}."}
      written: {title: Somebody was written to}
findings:
  wrong:
    when: account.row.contact_email == email and which.choice
    say: >-
      {{ account.row.customer }} is reached at {{ account.row.contact_email }} ({{ account.row.written|lower }}, {{
      told.line }}); {{ which.choice }} was {% if which.choice == email %}the same{% else %}another one{% endif %},
      of {{ others.count }}.
    propose: [change, tell, next]
actions:
  change:
    title: Change the address
    sql: UPDATE businesses SET contact_email = :to WHERE contact_email = :email
    bind: {to: which.choice}
    expect_rows: 1
    approve: {group: billing}
    lock: "customer {{ account.row.customer }}"
    verify: others.count > 0
  tell:
    title: Tell them
    notify: {to: "{{ email }}", via: email, subject: News, body: "Dear {{ others.rows[0].name }}, done."}
    approve: confirm
  next: {title: Look at the others, runbook: RB-921}
"""
SECOND = """
id: RB-921
title: The others
severity: P2
resolve_within: 20m
checks:
  others:
    title: All of them
    sql: SELECT name, contact_email FROM businesses WHERE name !~ '[6-9][0-9]|[0-9]{3}' ORDER BY name
findings:
  some: {when: others.rows, say: "{{ others.rows[0].name }} and others"}
"""


@dataclass(frozen=True)
class People:
    """Everybody whom the runbooks list."""

    names: list[str]
    emails: list[str]

    def are_hidden_in(self, said: str) -> None:
        """Nobody is named there."""
        assert [known for known in (*self.names, *self.emails) if known.lower() in said.lower()] == []


@dataclass
class Desk(Scene):
    """A scene in which a test reads everything that is in Slack."""

    def channel(self, name: str) -> Channel:
        """A channel by its name."""
        found = self.sandbox.world.slack.space.find_channel(name)
        assert found is not None
        return found

    def evidence(self) -> dict[str, str]:
        """The files of the restricted channel, by name."""
        return {file.name: _text(file) for file in self._files() if self.channel("incident-evidence").id in file.shares}

    def transcript(self, *forms_of: str) -> str:
        """Everything else: every message, ephemeral answer and Home tab, every other file, and the forms of everybody
        or of these people."""
        space = self.sandbox.world.slack.space
        secret = self.channel("incident-evidence").id
        told: list[object] = []
        for channel in space.channels.values():
            if channel.id != secret:
                messages = (*channel.messages.values(), *channel.ephemerals.values())
                told += [[each.text, each.blocks] for each in messages]
        told += [view.payload for view in space.views.values() if not forms_of or view.user in forms_of]
        told += [view.payload for view in space.homes.values()]
        told += [[file.name, _text(file)] for file in self._files() if secret not in file.shares]
        return json.dumps(told, ensure_ascii=False)

    async def people(self) -> People:
        """Everybody, by address."""
        listed = "array_agg({0} ORDER BY contact_email)"
        query = f"SELECT {listed.format('name')} AS n, {listed.format('contact_email')} AS e FROM businesses"
        row = await self.sql(f"{query} WHERE contact_email IS NOT NULL AND name !~ '[6-9][0-9]|[0-9]{{3}}'")
        return People(cast(list[str], row["n"]), cast(list[str], row["e"]))

    async def asked(self, email: str, choice: str, who: str = "eve") -> None:
        """RB-920, started for an address and answered with another one, up to what it proposes. What Slack carries for
        the answer tells nobody which it is."""
        person = self.person(who)
        await person.types(f"/runbook RB-920 email={email}")

        async def waits() -> bool | None:
            newest = await self.sandbox.bot.desk.reads.recent(1)
            check = newest[0].checks.get("which") if newest else None
            return True if check is not None and check.status is CheckStatus.ASKING else None

        await self.until(waits, "the question")
        await person.clicks("Answer…")
        await person.submits(answer=token(choice) if who == "eve" else choice)
        await self.action_is("change", ActionStatus.OFFERED if who == "eve" else ActionStatus.REQUESTED)

    async def lines(self, kind: str) -> list[dict[str, Any]]:
        """What the trail holds of this kind, as it is stored."""
        async with self.sandbox.bot.store.reading() as connection:
            return [dict(line.data) for line in await audit.read(connection) if line.kind == kind]

    async def presses(self, name: str, verb: Verb, ref: Ref) -> str:
        """A press that this person's hands made up, on the newest card; what they alone are told about it."""
        slack, person = self.sandbox.world.slack, self.person(name)
        incident = (await self.shown()).incident
        assert incident is not None
        channel = slack.space.channels[str(incident.channel)]
        button = "Show everything"
        card = next(each for each in reversed(channel.messages.values()) if button in str(each.blocks))
        found = next(each for each in elements(card.blocks) if each.label == button)
        action = {**payloads.action_json(slack.space, found, {}), "action_id": str(verb), "value": ref.encode()}
        before = self._told(person.id)
        await slack.delivery.interaction(payloads.block_actions_message(slack.space, person.id, channel, card, action))
        new = await slack.wait_for(lambda: set(self._told(person.id)) - set(before) or None)
        return self._told(person.id)[new.pop()]

    def _told(self, user: str) -> dict[str, str]:
        channels = self.sandbox.world.slack.space.channels.values()
        whispers = (each for channel in channels for each in channel.ephemerals.values())
        return {each.ts: each.text for each in whispers if each.ephemeral_to == user}

    def _files(self) -> list[File]:
        return list(self.sandbox.world.slack.space.files.values())


def _text(file: File) -> str:
    return (file.data or b"").decode("utf-8", "replace")


@pytest.fixture
async def desk(postgres: Postgres) -> AsyncIterator[Desk]:
    """The runbooks as they are shipped."""
    async with populated(postgres, rate_limits=False) as sandbox:
        yield Desk(sandbox)


@pytest.fixture
async def leaky(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Desk]:
    """One runbook that prints everything it can, and one that it leads to."""
    runbooks = tree(tmp_path, RB_920=FIRST, RB_921=SECOND)
    async with populated(postgres, rate_limits=False, runbooks=runbooks) as sandbox:
        yield Desk(sandbox)
