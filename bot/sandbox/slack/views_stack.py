"""One user's stack of modals and their Home tab: open, push, change, close; used by the web API and by acks."""

from __future__ import annotations

import hashlib
import json

from bot.sandbox.slack.blocks import with_ids
from bot.sandbox.slack.errors import ApiError
from bot.sandbox.slack.posting import new_word
from bot.sandbox.slack.records import Json, View
from bot.sandbox.slack.state import Workspace

# A root view and two pushed ones (https://docs.slack.dev/surfaces/modals).
DEEPEST = 3


def exchange(space: Workspace, trigger_id: str) -> tuple[str, str | None]:
    """Use up a trigger: the user and the view it belongs to. A trigger lives three seconds and works once."""
    trigger = space.triggers.get(trigger_id)
    if trigger is None:
        raise ApiError("invalid_trigger_id")
    if trigger.used:
        raise ApiError("exchanged_trigger_id")
    if space.clock() > trigger.expires:
        raise ApiError("expired_trigger_id")
    trigger.used = True
    return trigger.user, trigger.view


def top(space: Workspace, user: str) -> View | None:
    """The modal this user is looking at."""
    stack = space.stacks.get(user)
    return space.views[stack[-1]] if stack else None


def open_root(space: Workspace, user: str, payload: Json) -> View:
    """Show a modal; whatever this user had open is gone."""
    _unique(space, payload)
    close_all(space, user)
    return _show(space, user, payload, None)


def push(space: Workspace, user: str, payload: Json) -> View:
    """Put a modal above the one the user is looking at."""
    under = top(space, user)
    if under is None:
        raise ApiError("not_found")
    if len(space.stacks[user]) >= DEEPEST:
        raise ApiError("push_limit_reached")
    _unique(space, payload)
    return _show(space, user, payload, under)


def _show(space: Workspace, user: str, payload: Json, under: View | None) -> View:
    identity = space.new_id("V")
    view = View(
        identity,
        "modal",
        user,
        _prepared(space, payload),
        _hash(space, payload),
        root=under.root if under else identity,
        previous=under.id if under else None,
    )
    space.views[identity] = view
    space.stacks.setdefault(user, []).append(identity)
    space.tell("view", users=frozenset({user}), view_id=identity)
    return view


def replace(space: Workspace, view: View, payload: Json) -> View:
    """Give an open view new content; entered values of blocks that stay are kept, errors are cleared."""
    _unique(space, payload, view)
    view.payload, view.hash = _prepared(space, payload), _hash(space, payload)
    view.errors = {}
    kept = {str(block.get("block_id")) for block in view.payload["blocks"]}
    view.inputs = {block: values for block, values in view.inputs.items() if block in kept}
    space.tell("view" if view.type == "modal" else "home", users=frozenset({view.user}), view_id=view.id)
    return view


def publish(space: Workspace, user: str, payload: Json) -> View:
    """Store what this user's Home tab shows."""
    if (view := space.homes.get(user)) is not None:
        return replace(space, view, payload)
    identity = space.new_id("V")
    view = View(identity, "home", user, _prepared(space, payload), _hash(space, payload), root=identity)
    space.homes[user] = space.views[identity] = view
    space.tell("home", users=frozenset({user}), view_id=identity)
    return view


def close_top(space: Workspace, user: str) -> View | None:
    """Take away the modal this user is looking at; the one below shows again."""
    stack = space.stacks.get(user)
    if not stack:
        return None
    view = space.views.pop(stack.pop())
    space.tell("view", users=frozenset({user}), view_id=view.id)
    return view


def close_all(space: Workspace, user: str) -> list[View]:
    """Take away all of this user's modals, the topmost first."""
    gone = []
    while (view := close_top(space, user)) is not None:
        gone.append(view)
    return gone


def by_external_id(space: Workspace, external_id: str) -> View | None:
    """The open view with this external id."""
    return next((view for view in space.views.values() if view.payload.get("external_id") == external_id), None)


def _unique(space: Workspace, payload: Json, same: View | None = None) -> None:
    external = payload.get("external_id")
    if external:
        other = by_external_id(space, str(external))
        if other is not None and other is not same:
            raise ApiError("duplicate_external_id")


def _prepared(space: Workspace, payload: Json) -> Json:
    return payload | {"blocks": with_ids(payload.get("blocks") or [], lambda: new_word(space))}


def _hash(space: Workspace, payload: Json) -> str:
    digest = hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()[:8]
    return f"{space.new_ts()}.{digest}"
