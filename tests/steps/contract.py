"""One usable example of every kind for each section it belongs to: what the contract suite runs them with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.domain.runbook import Section

ID = "c4ca4238-a0b9-2382-0dcc-509a6f75849b"


@dataclass(frozen=True)
class Example:
    """A spec as authors write it, already rendered; `wrong` is one that lint complains about."""

    kind: str
    section: Section
    spec: dict[str, Any]
    wrong: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.kind} in {self.section}"


EXAMPLES = (
    Example(
        "sql",
        Section.CHECKS,
        {"query": "SELECT id, status FROM customers WHERE id = :id", "bind": {"id": ID}},
        {"query": "DELETE FROM customers"},
    ),
    Example(
        "sql",
        Section.ACTIONS,
        {"query": "UPDATE customers SET status = 'x' WHERE id = :id", "bind": {"id": ID}, "expect_rows": 1},
        {"query": "TRUNCATE customers"},
    ),
    Example(
        "sql",
        Section.ACTIONS,
        {"query": "SELECT pg_terminate_backend(:pid)", "bind": {"pid": 1}},
        {"query": "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"},
    ),
    Example(
        "sql",
        Section.ACTIONS,
        {"query": "CREATE INDEX CONCURRENTLY i ON watched (value)", "autocommit": True},
        {"query": "CREATE INDEX i ON watched (value)", "autocommit": True},
    ),
    Example("http", Section.CHECKS, {"get": "/health"}, {"delete": "/x"}),
    Example("http", Section.ACTIONS, {"post": "/x", "json": {"a": 1}}, {"post": "x"}),
    Example(
        "secret",
        Section.CHECKS,
        {"name": "token", "accepted_by": {"service": "api"}},
        {"name": "token", "same_as": "token"},
    ),
    Example("stripe", Section.CHECKS, {"list": "customers"}, {"refund": "charges", "id": "ch_1"}),
    Example("stripe", Section.ACTIONS, {"refund": "charges", "id": "ch_1", "amount": 5}, {"cancel": "subscriptions"}),
    Example("stripe", Section.ACTIONS, {"delete": "customers", "id": "cus_1"}, {"delete": "customers"}),
    Example("command", Section.CHECKS, {"argv": ["shopctl", "status"]}, {"argv": ["shopctl", "restart", "web"]}),
    Example("command", Section.ACTIONS, {"argv": ["shopctl", "restart", "web"]}, {"argv": ["shopctl", "drop"]}),
    Example("compute", Section.CHECKS, {"expression": 1}, {}),
    Example("ask", Section.CHECKS, {"question": "Why?"}, {"question": "Why?", "form": {"ok": {}}}),
    Example(
        "checklist",
        Section.CHECKS,
        {"items": {"told": {"title": "The customer was told"}, "paid": {"title": "It is paid", "done": True}}},
        {"items": {"told": {"title": "The customer was told", "link": "x"}}},
    ),
    Example(
        "logs", Section.CHECKS, {"source": "edge", "find": {"failed": "error"}}, {"source": "x", "find": {"a": ""}}
    ),
    Example("manual", Section.CHECKS, {"instructions": "Look."}, {"instructions": "Look.", "link": "x"}),
    Example("manual", Section.ACTIONS, {"instructions": "Do."}, {"instructions": "Do.", "form": {"error": {}}}),
    Example(
        "notify",
        Section.ACTIONS,
        {"to": "ann@shop.test", "via": "email", "subject": "S", "body": "B"},
        {"to": "#x"},
    ),
    Example("notify", Section.ACTIONS, {"to": "api", "via": "webhook", "body": "B"}, {"to": "gone", "via": "webhook"}),
    Example("notify", Section.ACTIONS, {"to": "#status", "body": "B"}, {"to": "#x", "template": "gone"}),
    Example("runbook", Section.ACTIONS, {"start": "RB-005", "inputs": {"id": ID}}, {"start": "rb 5"}),
    Example("wait", Section.ACTIONS, {"until": "true"}, {"until": "true", "every": "1h", "at_most": "1m"}),
)
