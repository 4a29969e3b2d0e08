"""Documents that the tests of this folder read: a small system and a small runbook, with parts to be replaced."""

from __future__ import annotations

from bot.authoring.loader import load_runbook, load_system
from bot.authoring.problems import Problem
from bot.domain.runbook import Runbook
from bot.domain.system import System

SYSTEM = """
id: shop
title: The shop
databases:
  main: {read: SHOP_READ, act: SHOP_ACT}
services:
  api: {url: {env: SHOP_API}, headers: {Authorization: {env: SHOP_TOKEN}}}
commands:
  shopctl: {program: shopctl, looks: [[status]], changes: [[restart, "*"]], environment: {CTL_TOKEN: {env: CTL_TOKEN}}}
logs:
  web: {file: /var/log/web.log}
stripe: {key: SHOP_STRIPE}
mail: {host: {env: SHOP_MAIL}, port: 25, sender: shop@example.test}
groups:
  billing: {slack: billing-approvers}
  owners: {people: [U0A, U0B, U0C]}
on_call: {people: [U0A]}
policies:
  default: {group: billing}
  critical: {group: owners, votes: 2}
contacts: {lead: lead@example.test}
severities:
  P1: {label: High, escalate_after: 30m, escalate_to: [lead]}
templates:
  paid: {subject: "Thank you, {{ account.row.name }}", body: "Your account is active again."}
"""

RUNBOOK = """
id: RB-001
title: Account is frozen
severity: P2
resolve_within: 15m
symptoms: [The customer cannot send]
inputs:
  business_id: {type: uuid, label: Business}
checks:
  account:
    title: What our database says
    sql: SELECT id, name, is_frozen FROM businesses WHERE id = :business_id
    expect: one_row
findings:
  frozen:
    when: account.row.is_frozen
    say: "{{ account.row.name }} is frozen."
    propose: unfreeze
actions:
  unfreeze:
    title: Release the account
    sql: UPDATE businesses SET is_frozen = false WHERE id = :business_id
    expect_rows: 1
    verify: not account.row.is_frozen
"""


def a_system(text: str = SYSTEM) -> System:
    """The system in the text, which must be without problems."""
    system, problems = load_system(text, "shop/system.yaml")
    assert system is not None, problems
    return system


def read_runbook(text: str = RUNBOOK, *, add: str = "") -> tuple[Runbook | None, list[Problem]]:
    """The runbook in the text and its problems; `add` is put at the end, which is inside its actions."""
    return load_runbook(text + add, "shop/RB-001.yaml", a_system())


def a_runbook(text: str = RUNBOOK, add: str = "") -> Runbook:
    """The runbook in the text, which must be without errors."""
    runbook, problems = read_runbook(text, add=add)
    assert runbook is not None, problems
    return runbook


def messages(problems: list[Problem]) -> list[str]:
    """What the problems say, without their places."""
    return [problem.message for problem in problems]
