"""The files.* methods of the upload in three steps: ask for a URL, send the bytes, complete and share."""

from __future__ import annotations

import mimetypes
import secrets

from bot.sandbox.slack.api.chat import destination
from bot.sandbox.slack.api.checking import check_message
from bot.sandbox.slack.api.method import Args, Call, Method
from bot.sandbox.slack.errors import ApiError, invalid_arguments, missing_field
from bot.sandbox.slack.limits import T3, T4
from bot.sandbox.slack.posting import draft, post
from bot.sandbox.slack.records import Channel, File, Json
from bot.sandbox.slack.state import Workspace
from bot.sandbox.slack.wire import file_json


def get_upload_url(call: Call) -> Json:
    """files.getUploadURLExternal."""
    space = call.space
    name, length = call.args.required("filename"), call.args.number("length", 0)
    if length <= 0:
        raise missing_field("length")
    file = new_file(space, name, length, space.bot_user)
    file.alt_text = call.args.text("alt_txt")
    return {"upload_url": f"{space.origin}/upload/{file.id}/{file.secret}", "file_id": file.id}


def new_file(space: Workspace, name: str, length: int, user: str) -> File:
    """A file whose bytes are still to come."""
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    file = File(space.new_id("F"), name, secrets.token_hex(12), length, user, space.now(), mimetype=kind)
    space.files[file.id] = file
    return file


def complete_upload(call: Call) -> Json:
    """files.completeUploadExternal: names the files and, with a channel, shares them in one message."""
    entries = call.args.tree("files")
    if not isinstance(entries, list) or not entries:
        raise missing_field("files")
    files = [_uploaded(call, entry) for entry in entries]
    wanted = [call.args.text("channel_id")] if call.args.has("channel_id") else call.args.listed("channels")
    channels = [destination(_naming(call, channel)) for channel in wanted if channel]
    thread = call.args.text("thread_ts") or None
    blocks = call.args.tree("blocks") or []
    if blocks:
        check_message({"blocks": blocks})
    for channel in channels:
        if thread and thread not in channel.messages:
            raise ApiError("invalid_thread_ts")
    for file in files:
        file.completed = True
    for channel in channels:
        comment = call.args.text("initial_comment")
        share(call.space, channel, files, call.space.bot_user, comment, thread_ts=thread, blocks=blocks)
    return {"files": [file_json(call.space, file) for file in files]}


def _naming(call: Call, channel: str) -> Call:
    return Call(call.space, Args({**call.args.values, "channel": channel}), call.open_socket)


def _uploaded(call: Call, entry: object) -> File:
    if not isinstance(entry, dict) or not entry.get("id"):
        raise invalid_arguments("missing required field: id [json-pointer:/files]")
    file = call.space.files.get(str(entry["id"]))
    if file is None or file.data is None or file.completed:
        raise ApiError("file_not_found")
    file.title = str(entry.get("title") or file.name)
    return file


def share(
    space: Workspace,
    channel: Channel,
    files: list[File],
    user: str,
    comment: str,
    *,
    thread_ts: str | None = None,
    blocks: list[Json] | None = None,
) -> str:
    """Post a message with files in a channel; returns its time stamp."""
    message = draft(
        space, channel, user, comment, files=[file.id for file in files], thread_ts=thread_ts, blocks=blocks or []
    )
    for file in files:
        file.channels.append(channel.id)
        file.shares.setdefault(channel.id, []).append(message.ts)
    post(space, channel, message)
    for file in files:
        space.emit({"type": "file_shared", "file_id": file.id, "user_id": user, "channel_id": channel.id}, channel)
    return message.ts


def _named(call: Call) -> File:
    file = call.space.files.get(call.args.required("file"))
    if file is None or not file.completed:
        raise ApiError("file_not_found")
    return file


def info(call: Call) -> Json:
    """files.info."""
    metadata = {"next_cursor": ""}
    return {"file": file_json(call.space, _named(call)), "comments": [], "response_metadata": metadata}


def list_files(call: Call) -> Json:
    """files.list, newest first, with page numbers."""
    count, number = call.args.number("count", 100), call.args.number("page", 1)
    found = [
        file
        for file in reversed(call.space.files.values())
        if file.completed
        and call.args.text("user", file.user) == file.user
        and (not call.args.has("channel") or call.args.text("channel") in file.channels)
    ]
    some = found[(number - 1) * count : number * count]
    paging = {"count": count, "total": len(found), "page": number, "pages": -(-len(found) // count)}
    return {"files": [file_json(call.space, file) for file in some], "paging": paging}


def delete(call: Call) -> Json:
    """files.delete: the app may delete only its own."""
    file = _named(call)
    if file.user != call.space.bot_user:
        raise ApiError("cant_delete_file")
    del call.space.files[file.id]
    for channel in file.channels:
        call.space.tell("message", call.space.channels.get(channel), file=file.id)
    return {}


METHODS = (
    Method("files.getUploadURLExternal", get_upload_url, ("files:write",), T4),
    Method("files.completeUploadExternal", complete_upload, ("files:write",), T4),
    Method("files.info", info, ("files:read",), T4),
    Method("files.list", list_files, ("files:read",), T3),
    Method("files.delete", delete, ("files:write",), T3),
)
