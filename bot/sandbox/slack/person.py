"""A person in the workspace, for tests: types, clicks, fills in, submits, and waits until something can be seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from bot.sandbox.slack import views_stack
from bot.sandbox.slack.acting import People
from bot.sandbox.slack.blocks import Element, elements
from bot.sandbox.slack.errors import PersonError
from bot.sandbox.slack.records import Channel, Json, View
from bot.sandbox.slack.screen import Seen, seen_by
from bot.sandbox.slack.state import Workspace

Found = TypeVar("Found")
Wanted: TypeAlias = str | Callable[[Element], bool]
WAIT_SECONDS = 5.0
_EXTERNAL = ("external_select", "multi_external_select")


@dataclass
class Person:
    """Acts as one user. Every wait ends with an AssertionError that lists what was on the screen instead."""

    space: Workspace
    people: People
    id: str
    _draft: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The user name."""
        return self.space.users[self.id].name

    async def types(self, text: str, channel: str | None = None, thread_ts: str | None = None) -> str:
        """Type in #general unless told otherwise; returns the message's `ts`, or "" after a slash command."""
        return await self.people.say(self.id, channel or self._anywhere().id, text, thread_ts) or ""

    def _anywhere(self) -> Channel:
        mine = [channel for channel in self.space.channels_of(self.id) if not channel.is_direct]
        if not mine:
            raise PersonError(f"{self.name} is in no channel.")
        return next((channel for channel in mine if channel.is_general), mine[0])

    async def clicks(self, what: Wanted, message: Seen | str | None = None, within: float = WAIT_SECONDS) -> Seen:
        """Click the newest visible element with this text or action id, or that is accepted (in `message`, when given),
        once it is there."""
        seen, element = await self._finds(what, message, within)
        await self.people.click(
            self.id, seen.container, element.block_id, element.action_id, {"values": self._take(seen)}
        )
        return seen

    async def selects(
        self, what: str, value: Any, message: Seen | str | None = None, within: float = WAIT_SECONDS
    ) -> Seen:
        """Choose in a select, date picker, overflow menu … found like a button; options by their value or text."""
        seen, element = await self._finds(what, message, within)
        if element.type in _EXTERNAL:
            await self.people.options(self.id, seen.container, element.block_id, element.action_id, str(value))
        given: Json = {"selected_option": value, "values": self._take(seen)}
        await self.people.click(self.id, seen.container, element.block_id, element.action_id, given)
        return seen

    async def _finds(self, what: Wanted, message: Seen | str | None, seconds: float) -> tuple[Seen, Element]:
        wanted = message.ts if isinstance(message, Seen) else message

        def meant(element: Element) -> bool:
            return what in (element.action_id, element.label) if isinstance(what, str) else what(element)

        def probe() -> tuple[Seen, Element] | None:
            for seen in seen_by(self.space, self.id):
                if wanted is not None and seen.ts != wanted:
                    continue
                for element in elements(_blocks(seen)):
                    allowed = element.data.get("visible_to_user_ids")
                    if meant(element) and (not allowed or self.id in allowed):
                        return seen, element
            return None

        return await self._waits(
            probe, seconds, f"anything called {what!r}" if isinstance(what, str) else "what is to be clicked"
        )

    async def fills(self, **values: Any) -> None:
        """Fill in inputs of the open modal, named by action id, block id or label (spaces as underscores)."""
        view = await self.modal()
        for name, value in values.items():
            element = _input(view, name)
            if element.type in _EXTERNAL:
                place = {"type": "view", "view_id": view.id}
                await self.people.options(self.id, place, element.block_id, element.action_id, str(value))
            self._draft.setdefault(element.block_id, {})[element.action_id] = value

    async def submits(self, **values: Any) -> dict[str, str]:
        """Fill in and submit the open modal; returns the inline errors by block id."""
        await self.fills(**values)
        view = await self.modal()
        draft, self._draft = self._draft, {}
        return await self.people.submit(self.id, view.id, draft)

    async def closes(self, *, clear: bool = False) -> None:
        """Close the open modal, or the whole stack."""
        view = await self.modal()
        self._draft = {}
        await self.people.close(self.id, view.id, clear=clear)

    async def modal(self, within: float = WAIT_SECONDS) -> View:
        """The open modal, once there is one."""
        return await self._waits(lambda: views_stack.top(self.space, self.id), within, "a modal")

    async def sees(
        self, what: str | Callable[[Seen], bool], within: float = WAIT_SECONDS, *, surface: str | None = None
    ) -> Seen:
        """The newest thing on the screen whose words contain `what` (or that it accepts), once it is there."""
        fits = (lambda seen: what in seen.text) if isinstance(what, str) else what

        def probe() -> Seen | None:
            shown = seen_by(self.space, self.id)
            return next((seen for seen in shown if surface in (None, seen.surface) and fits(seen)), None)

        return await self._waits(probe, within, repr(what))

    async def no_longer_sees(self, what: str, within: float = WAIT_SECONDS) -> None:
        """Wait until nothing on the screen contains these words."""

        def probe() -> bool | None:
            return True if not any(what in seen.text for seen in self.screen()) else None

        await self._waits(probe, within, f"the end of {what!r}")

    def screen(self) -> list[Seen]:
        """All that can be looked at now: the modal, messages newest first, the Home tab."""
        return list(seen_by(self.space, self.id))

    async def opens_home(self, within: float = WAIT_SECONDS) -> Seen:
        """Open the app's Home tab and wait until something is published there."""
        await self.people.home(self.id)
        return await self.sees(lambda seen: True, within, surface="home")

    async def uses_shortcut(self, callback_id: str, message: Seen | None = None) -> None:
        """Run a shortcut, on a message for a message shortcut."""
        channel, ts = (message.channel, message.ts) if message else (None, None)
        await self.people.shortcut(self.id, callback_id, channel, ts)

    async def reacts(self, message: Seen, emoji: str) -> None:
        """Add an emoji reaction, or take it back."""
        self.people.react(self.id, message.channel or "", message.ts or "", emoji)

    async def joins(self, channel: str) -> None:
        """Join a public channel."""
        self.people.join(self.id, channel)

    async def archives(self, channel: str) -> None:
        """Archive a channel."""
        self.people.archive(self.id, channel)

    async def uploads(self, name: str, data: bytes, channel: str | None = None) -> str:
        """Share a file; returns the message's `ts`."""
        return self.people.upload(self.id, channel or self._anywhere().id, name, data)

    def _take(self, seen: Seen) -> Mapping[str, Mapping[str, Any]]:
        if seen.surface != "modal":
            return {}
        draft, self._draft = self._draft, {}
        return draft

    async def _waits(self, probe: Callable[[], Found | None], seconds: float, what: str) -> Found:
        try:
            return await self.space.changes.wait_for(probe, seconds)
        except TimeoutError:
            shown = "\n".join(f"- {seen.surface}: {seen.text!r}" for seen in self.screen()[:12])
            complaint = f"{self.name} did not see {what} within {seconds} s, but\n{shown or '- nothing'}"
            raise AssertionError(complaint) from None


def _blocks(seen: Seen) -> list[Json]:
    attached = [block for each in seen.raw.get("attachments") or [] for block in each.get("blocks") or []]
    return [*(seen.raw.get("blocks") or []), *attached]


def _input(view: View, name: str) -> Element:
    found = [
        element
        for element in elements(view.payload.get("blocks") or [])
        if name in (element.action_id, element.block_id, element.label.replace(" ", "_"), element.label)
    ]
    if not found:
        known = ", ".join(element.action_id for element in elements(view.payload.get("blocks") or []))
        raise PersonError(f"There is no input {name!r} in this modal; there are: {known or 'none'}.")
    return found[0]
