"""The views.* methods: modals opened with a trigger, and the Home tab."""

from __future__ import annotations

from bot.sandbox.slack import views_stack
from bot.sandbox.slack.api.checking import check_view
from bot.sandbox.slack.api.method import Call, Method
from bot.sandbox.slack.errors import ApiError, invalid_arguments, missing_field
from bot.sandbox.slack.limits import T4
from bot.sandbox.slack.records import Json, View
from bot.sandbox.slack.wire import view_json


def _given(call: Call, kind: str) -> Json:
    if not call.args.has("view"):
        raise missing_field("view")
    view = check_view(call.args.tree("view"))
    if view.get("type") != kind:
        raise invalid_arguments(f"unsupported view type: {view.get('type')} [json-pointer:/view/type]")
    return view


def _answer(call: Call, view: View) -> Json:
    return {"view": view_json(call.space, view)}


def _trigger(call: Call) -> str:
    return call.args.text("trigger_id") or call.args.required("interactivity_pointer")


def open_view(call: Call) -> Json:
    """views.open."""
    trigger, payload = _trigger(call), _given(call, "modal")
    user, _ = views_stack.exchange(call.space, trigger)
    return _answer(call, views_stack.open_root(call.space, user, payload))


def push(call: Call) -> Json:
    """views.push."""
    trigger, payload = _trigger(call), _given(call, "modal")
    user, _ = views_stack.exchange(call.space, trigger)
    return _answer(call, views_stack.push(call.space, user, payload))


def update(call: Call) -> Json:
    """views.update, by view or external id; a `hash` guards against changing what somebody else changed."""
    args, space = call.args, call.space
    if not args.has("view_id") and not args.has("external_id"):
        raise missing_field("view_id")
    found = views_stack.by_external_id(space, args.text("external_id")) if args.has("external_id") else None
    view = space.views.get(args.text("view_id")) if args.has("view_id") else found
    if view is None:
        raise ApiError("not_found")
    payload = _given(call, view.type)
    _guard(call, view)
    return _answer(call, views_stack.replace(space, view, payload))


def publish(call: Call) -> Json:
    """views.publish: the Home tab of one user."""
    user = call.args.required("user_id")
    payload = _given(call, "home")
    if not call.space.manifest.home_tab:
        raise ApiError("not_enabled")
    if user not in call.space.users:
        raise ApiError("user_not_found")
    if (known := call.space.homes.get(user)) is not None:
        _guard(call, known)
    return _answer(call, views_stack.publish(call.space, user, payload))


def _guard(call: Call, view: View) -> None:
    if call.args.has("hash") and call.args.text("hash") != view.hash:
        raise ApiError("hash_conflict")


METHODS = (
    Method("views.open", open_view, (), T4),
    Method("views.push", push, (), T4),
    Method("views.update", update, (), T4),
    Method("views.publish", publish, (), T4),
)
