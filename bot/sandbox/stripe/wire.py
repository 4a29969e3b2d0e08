"""Stripe's wire format for the local Stripe's routes: bracketed parameters, errors, pages of lists, expansion."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Json = dict[str, Any]
Find = Callable[[str], Json | None]

DEFAULT_LIMIT = 10
MAX_LIMIT = 100
MAX_EXPAND_DEPTH = 4
PAGING = frozenset({"limit", "starting_after", "ending_before", "expand"})
COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "gt": lambda value, bound: value > bound,
    "gte": lambda value, bound: value >= bound,
    "lt": lambda value, bound: value < bound,
    "lte": lambda value, bound: value <= bound,
}


class StripeError(Exception):
    """An answer in Stripe's error shape: https://docs.stripe.com/api/errors."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        before_work: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.before_work = before_work
        self.body: Json = {"error": {"message": message, "type": kind}}
        if code is not None:
            self.body["error"] |= {
                "code": code,
                "doc_url": f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}",
            }
        if param is not None:
            self.body["error"]["param"] = param


def missing_object(noun: str, wanted: str, param: str = "id") -> StripeError:
    """No such object: 404, resource_missing."""
    return StripeError(404, f"No such {noun}: '{wanted}'", code="resource_missing", param=param)


def missing_param(name: str) -> StripeError:
    """A required parameter is absent."""
    return StripeError(400, f"Missing required param: {name}.", code="parameter_missing", param=name, before_work=True)


def bad_param(name: str, message: str, code: str | None = None) -> StripeError:
    """A parameter has a value that is not allowed."""
    return StripeError(400, message, code=code, param=name, before_work=True)


def decode(pairs: Iterable[tuple[str, str]]) -> Json:
    """`a[b]=1&c[]=2&d[0][e]=3` as nested dicts and lists; the values stay strings, as on the wire."""
    tree: Json = {}
    for key, value in pairs:
        path = re.findall(r"[^\[\]]+|(?<=\[)(?=\])", key)
        node = tree
        for part, following in zip(path, [*path[1:], None], strict=True):
            name = part or str(len(node))
            if following is None:
                node[name] = value
            else:
                deeper = node.setdefault(name, {})
                if not isinstance(deeper, dict):
                    raise bad_param(path[0], f"Invalid {path[0]}: a value and a hash at once.")
                node = deeper
    return {key: _with_lists(value) for key, value in tree.items()}


def _with_lists(value: Any) -> Any:
    """A hash whose keys are 0, 1, 2 … is how the wire writes an array."""
    if not isinstance(value, dict):
        return value
    inner = {key: _with_lists(item) for key, item in value.items()}
    if inner and all(key.isdecimal() for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner


def refuse_unknown(params: Mapping[str, Any], known: Iterable[str]) -> None:
    """Stripe refuses parameters it does not know, so a typing error is found here as there."""
    allowed = set(known) | {"expand"}
    unknown = [name for name in params if name not in allowed]
    if unknown:
        raise bad_param(unknown[0], f"Received unknown parameter: {unknown[0]}", "parameter_unknown")


def snapshot(value: Any) -> Any:
    """A deep copy of dicts and lists: an event, an answer and a replay show the object as it was."""
    if isinstance(value, dict):
        return {key: snapshot(item) for key, item in value.items()}
    return [snapshot(item) for item in value] if isinstance(value, list) else value


def integer(params: Mapping[str, Any], name: str, *, minimum: int = 1) -> int | None:
    """A whole number of at least `minimum`, or None when it is absent."""
    if name not in params:
        return None
    given = params[name]
    if not isinstance(given, str) or re.fullmatch(r"-?\d+", given) is None:
        raise bad_param(name, f"Invalid integer: {given}", "parameter_invalid_integer")
    if int(given) < minimum:
        raise bad_param(name, "Invalid positive integer", "parameter_invalid_integer")
    return int(given)


def boolean(params: Mapping[str, Any], name: str) -> bool | None:
    """`true` or `false`, or None when it is absent."""
    if name not in params:
        return None
    given = params[name]
    if given not in {"true", "false"}:
        raise bad_param(name, f"Invalid boolean: {given}", "parameter_invalid_boolean")
    return bool(given == "true")


def choice(params: Mapping[str, Any], name: str, allowed: tuple[str, ...]) -> str | None:
    """One of `allowed`, or None when it is absent."""
    given = params.get(name)
    if given is None or given in allowed:
        return given
    listed = f"{', '.join(allowed[:-1])}, or {allowed[-1]}"
    raise bad_param(name, f"Invalid {name}: must be one of {listed}")


def metadata(params: Mapping[str, Any], before: Mapping[str, str]) -> dict[str, str]:
    """The metadata after an update: keys are merged, an empty value removes its key, an empty string clears all."""
    given = params.get("metadata")
    if given is None:
        return dict(before)
    if given == "":
        return {}
    if not isinstance(given, dict):
        raise bad_param("metadata", "Invalid hash")
    merged = dict(before) | given
    return {key: value for key, value in merged.items() if value != ""}


def created_within(params: Mapping[str, Any], created: int) -> bool:
    """Whether a creation time in epoch seconds passes the `created` filter: one time, or gt/gte/lt/lte bounds."""
    wanted = params.get("created")
    if wanted is None:
        return True
    if isinstance(wanted, dict):
        unknown = [name for name in wanted if name not in COMPARISONS]
        if unknown:
            raise bad_param("created", f"Received unknown parameter: created[{unknown[0]}]", "parameter_unknown")
        return all(COMPARISONS[name](created, integer(wanted, name, minimum=0) or 0) for name in wanted)
    return created == integer(params, "created", minimum=0)


def page(rows: list[Json], params: Mapping[str, Any], *, url: str, noun: str) -> Json:
    """One page of `rows`, which come newest first; a cursor names the object to start after or end before."""
    limit = integer(params, "limit") or DEFAULT_LIMIT
    if limit > MAX_LIMIT:
        raise bad_param("limit", f"Invalid integer: limit cannot exceed {MAX_LIMIT}", "parameter_invalid_integer")
    ids = [row["id"] for row in rows]
    after, before = params.get("starting_after"), params.get("ending_before")
    if after is not None and before is not None:
        raise bad_param("ending_before", "Cannot specify both starting_after and ending_before.")
    for name, cursor in (("starting_after", after), ("ending_before", before)):
        if cursor is not None and cursor not in ids:
            raise StripeError(400, f"No such {noun}: '{cursor}'", code="resource_missing", param=name)
    if before is not None:
        end = ids.index(before)
        start = max(0, end - limit)
        return {"object": "list", "url": url, "has_more": start > 0, "data": rows[start:end]}
    start = ids.index(after) + 1 if after is not None else 0
    return {"object": "list", "url": url, "has_more": len(rows) > start + limit, "data": rows[start : start + limit]}


def expanded(answer: Json, params: Mapping[str, Any], find: Find) -> Json:
    """The answer with the ids at the asked paths (`customer`, `data.latest_invoice`, …) replaced by their objects."""
    paths = params.get("expand", [])
    if not isinstance(paths, list):
        raise bad_param("expand", "Invalid array")
    result: Json = snapshot(answer)
    for path in paths:
        parts = str(path).split(".")
        if len(parts) > MAX_EXPAND_DEPTH:
            raise bad_param("expand", f"You cannot expand more than {MAX_EXPAND_DEPTH} levels of a property.")
        _expand(result, parts, str(path), find)
    return result


def _expand(node: Any, parts: list[str], path: str, find: Find) -> None:
    if isinstance(node, list):
        for item in node:
            _expand(item, parts, path, find)
        return
    if node is None or not parts:
        return
    if not isinstance(node, dict) or parts[0] not in node:
        raise bad_param("expand", f"This property cannot be expanded ({path}).")
    value = node[parts[0]]
    if isinstance(value, str):
        found = find(value)
        if found is None:
            raise bad_param("expand", f"This property cannot be expanded ({path}).")
        value = node[parts[0]] = snapshot(found)
    _expand(value, parts[1:], path, find)
