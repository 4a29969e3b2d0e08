"""Every kind of step by its name: one line a kind."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from bot.steps.ask import Ask
from bot.steps.base import StepKind
from bot.steps.checklist import Checklist
from bot.steps.command import Command
from bot.steps.compute import Compute
from bot.steps.http import Http
from bot.steps.logs import Logs
from bot.steps.manual import Manual
from bot.steps.notify import Notify
from bot.steps.runbook import Runbook
from bot.steps.secret import Secret
from bot.steps.sql import Sql
from bot.steps.stripe import Stripe
from bot.steps.wait import Wait

KINDS: Mapping[str, StepKind] = MappingProxyType(
    {
        "ask": Ask(),
        "checklist": Checklist(),
        "command": Command(),
        "compute": Compute(),
        "http": Http(),
        "logs": Logs(),
        "manual": Manual(),
        "notify": Notify(),
        "runbook": Runbook(),
        "secret": Secret(),
        "sql": Sql(),
        "stripe": Stripe(),
        "wait": Wait(),
    }
)
