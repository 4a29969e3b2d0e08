"""The sample system as the sandbox takes it: its faults by name, its health, its variables and its approvers."""

from __future__ import annotations

from bot.sandbox.phase1.faults import FAULTS
from bot.sandbox.phase1.settling import settle
from bot.sandbox.sample import Ground, SampleSystem


def _environment(ground: Ground) -> dict[str, str]:
    return {
        "PHASE1_APP_LOG": str(ground.logs / "app.log"),
        "PHASE1_DOCKER": str(ground.programs.folder / "docker"),
        "PHASE1_STRIPE_CLI": str(ground.programs.folder / "stripe"),
    }


SYSTEM = SampleSystem(
    id="phase1",
    faults=FAULTS,
    settle=settle,
    environment=_environment,
    usergroups=(
        {"handle": "payments-approvers", "name": "Payments approvers", "users": ["ben", "dev"]},
        {"handle": "devops-approvers", "name": "DevOps approvers", "users": ["chloe", "dev"]},
        {"handle": "support-leads", "name": "Support leads", "users": ["ben", "chloe", "dev"]},
    ),
)
