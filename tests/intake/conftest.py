"""A bot with a source of every kind, reached over HTTP as other systems reach it."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy import text

from bot.authoring.catalogue import Catalogue
from bot.authoring.loader import catalogue_at
from bot.cli.sandbox import ROOT, populated
from bot.domain.incident import Incident
from bot.sandbox.postgres import Postgres
from tests.acceptance.conftest import Scene
from tests.conftest import ManualClock
from tests.intake.sending import BEARER

ALERTS = """
sources:
  prometheus: {kind: alertmanager, token: [{env: ALACARTE_ALERTS_TOKEN}, {env: ALACARTE_ALERTS_TOKEN_NEXT}]}
  graphs: {kind: grafana, hmac: [{env: ALACARTE_ALERTS_SECRET}, {env: ALACARTE_ALERTS_SECRET_NEXT}]}
  duty: {kind: pagerduty, hmac: [{env: ALACARTE_ALERTS_SECRET}, {env: ALACARTE_ALERTS_SECRET_NEXT}]}
  errors: {kind: sentry, hmac: [{env: ALACARTE_ALERTS_SECRET}, {env: ALACARTE_ALERTS_SECRET_NEXT}]}
  jobs: {kind: generic, token: {env: ALACARTE_ALERTS_TOKEN}}
  signed_jobs: {kind: generic, hmac: {env: ALACARTE_ALERTS_SECRET}}
  nobody: {kind: generic, token: {env: ALACARTE_NEVER_SET}}
stripe:
  secrets: [{env: ALACARTE_STRIPE_EVENTS_SECRET}, {env: ALACARTE_STRIPE_EVENTS_SECRET_NEXT}]
rules:
  - match: {name: charge.dispute.created}
    severity: P2
    by: [object]
  - match: {name: "Pool*", environment: [production, live]}
    severity: P0
    runbook: RB-004
    inputs: {longer_than: labels.longest}
    by: [instance]
  - {match: {name: Backup*}, open: false}
"""
MONITORS = """
monitors:
  cpu:
    title: CPU of the database
    severity: P1
    alert: DatabaseCpuHigh
    runbook: RB-004
    say: "CPU on {{ labels.instance }}"
"""


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree with a few of the shipped runbooks, a source of every kind and a channel for announcements."""
    folder = tmp_path_factory.mktemp("runbooks") / "alacarte"
    folder.mkdir()
    shipped = ROOT / "runbooks" / "alacarte"
    for name in ("RB-004", "RB-007", "RB-015"):
        shutil.copy(shipped / f"{name}.yaml", folder)
    system = (shipped / "system.yaml").read_text(encoding="utf-8")
    system = "\n".join(line for line in system.splitlines() if not line.startswith("channels:"))
    (folder / "system.yaml").write_text(f"{system}\nchannels: {{announcements: general}}\n", encoding="utf-8")
    (folder / "alerts.yaml").write_text(ALERTS, encoding="utf-8")
    (folder / "monitors.yaml").write_text(MONITORS, encoding="utf-8")
    return folder.parent


@pytest.fixture(scope="session")
def catalogue(tree: Path) -> Catalogue:
    """What the tree holds."""
    return catalogue_at(tree)


@dataclass
class Intake(Scene):
    """The bot's HTTP side, and what became of what was sent there."""

    http: aiohttp.ClientSession
    clock: ManualClock

    @property
    def url(self) -> str:
        """Where the bot listens."""
        return f"http://127.0.0.1:{self.sandbox.bot.port}"

    async def post(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> tuple[int, Any]:
        """Send something; the status and the JSON of the answer."""
        data = BytesIO(body)  # a large body in one piece would hold the client's loop
        async with self.http.post(f"{self.url}{path}", data=data, headers=dict(headers or {})) as answer:
            assert answer.content_type == "application/json"
            return answer.status, await answer.json()

    async def job(self, name: str = "Batch job late", **more: Any) -> None:
        """A plain alert that is taken, and sorted."""
        data = {"name": name, "title": name, "severity": "error", "at": self.clock.now().isoformat(), **more}
        assert await self.post("/alerts/jobs", json.dumps(data).encode(), BEARER) == (
            202,
            {"ok": True, "taken": 1, "repeated": False},
        )
        await self.sorted()

    async def sorted(self) -> None:
        """Everything that has arrived is sorted; by whom does not matter."""
        async with asyncio.timeout(20):
            while await self.count("SELECT count(*) FROM alert_arrivals"):
                await self.sandbox.bot.sorter.sort()

    async def count(self, query: str) -> int:
        """One number from the bot's database."""
        async with self.sandbox.bot.store.reading() as connection:
            return int((await connection.execute(text(query))).scalar_one())

    async def open_ones(self) -> Sequence[Incident]:
        """The open incidents, oldest first."""
        found = await self.sandbox.bot.desk.incidents.open_ones()
        return sorted(found, key=lambda each: each.number)

    async def only(self) -> Incident:
        """The one incident that is open."""
        (found,) = await self.open_ones()
        return found

    async def told(self, incident: Incident) -> list[str]:
        """What the timeline of an incident says of alerts, in turn."""
        lines = await self.sandbox.bot.desk.reads.audit(incident_id=incident.id)
        kept = ("incident.reported", "incident.reopened", "alert.")
        return [f"{line.kind} {line.data}" for line in lines if line.kind.startswith(kept)]


@pytest.fixture
async def intake(postgres: Postgres, clock: ManualClock, tree: Path) -> AsyncIterator[Intake]:
    """A bot with the tree's runbooks, and a clock that the test moves."""
    async with (
        populated(postgres, rate_limits=False, clock=clock, runbooks=tree) as sandbox,
        aiohttp.ClientSession() as http,
    ):
        yield Intake(sandbox, http, clock)
