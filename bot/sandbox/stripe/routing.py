"""How the local Stripe's routes are written: what a call carries, and lists and retrievals that every family shares."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.stripe.objects import Objects
from bot.sandbox.stripe.wire import PAGING, Json, created_within, missing_object, page

Emit = Callable[[str, Json, Mapping[str, Any]], None]
Test = Callable[[Json, str], bool]


@dataclass(frozen=True)
class Call:
    """One request that reached a route: its parameters decoded, its path's id, and what a route may use."""

    params: Json
    id: str
    objects: Objects
    emit: Emit

    def needed(self, kind: str, noun: str, wanted: str | None = None, param: str = "id") -> Json:
        """The living object of that kind, or Stripe's resource_missing."""
        name = self.id if wanted is None else wanted
        row = self.objects.find(name)
        if row is None or row["object"] != kind or row.get("deleted"):
            raise missing_object(noun, name, param)
        return row

    def changed(self, kind: str, row: Json, changes: Mapping[str, Any]) -> Json:
        """Apply changes, and tell the webhooks what the values were before."""
        before = {name: row.get(name) for name, value in changes.items() if row.get(name) != value}
        row.update(changes)
        self.emit(kind, row, before)
        return row


Work = Callable[[Call], Json]


@dataclass(frozen=True)
class Route:
    """A method and a path with at most one `{id}`, the parameters it knows, and its work."""

    method: str
    path: str
    work: Work
    known: frozenset[str] = field(default_factory=frozenset)

    def match(self, method: str, path: str) -> str | None:
        """The id in the path (empty when the path has none), or None when this is another route."""
        pattern = re.escape(self.path).replace(re.escape("{id}"), r"(?P<id>[^/]+)")
        found = re.fullmatch(pattern, path) if method == self.method else None
        return None if found is None else found.groupdict().get("id", "")


def equal(name: str) -> Test:
    """A filter that keeps rows whose field equals the parameter."""
    return lambda row, wanted: str(row.get(name)) == wanted


def family(kind: str, plural: str, noun: str, filters: Mapping[str, Test]) -> tuple[Route, Route]:
    """The two reading routes of a family: list with filters and pages, and retrieve."""
    url = f"/v1/{plural}"

    def listed(call: Call) -> Json:
        rows = [row for row in call.objects.of(kind) if created_within(call.params, int(row["created"]))]
        for name, test in filters.items():
            if name in call.params:
                rows = [row for row in rows if test(row, str(call.params[name]))]
        return page(rows, call.params, url=url, noun=noun)

    def retrieved(call: Call) -> Json:
        return call.needed(kind, noun)

    known = PAGING | {"created"} | frozenset(filters)
    return Route("GET", url, listed, known), Route("GET", f"{url}/{{id}}", retrieved)
