"""A system's `triage.yaml`: its identifiers and how they lead to each other, for `/runbook triage`."""

from __future__ import annotations

from dataclasses import replace

from bot.authoring.document import TriageDoc
from bot.authoring.ledger import Ledger
from bot.authoring.problems import did_you_mean
from bot.authoring.references import Names, References
from bot.authoring.runbooks import outside
from bot.domain.runbook import ASKING
from bot.domain.system import System
from bot.domain.triage import Lookups


def lookups_of(ledger: Ledger, said: TriageDoc, system: System) -> Lookups:
    """The lookups; what does not hold together is noted in the ledger."""
    runbook = outside(ledger, system, said.checks, said.inputs)
    references = References(ledger, Names(frozenset(said.inputs), frozenset(said.checks)))
    for name, expressions in said.gives.items():
        if name not in said.inputs:
            ledger.error(("gives", name), f"There is no input «{name}».", did_you_mean(name, said.inputs))
        for place, expression in enumerate(expressions):
            references.expression(expression, ("gives", name, place))
    for key, check in runbook.checks.items():
        if check.kind in ASKING:
            ledger.error(("checks", key), "A lookup asks nobody.")
    inputs = tuple(replace(each, required=False, default=None) for each in runbook.inputs)
    return Lookups(inputs, runbook.checks, {name: tuple(each) for name, each in said.gives.items()})
