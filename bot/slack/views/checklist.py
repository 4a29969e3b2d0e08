"""A checklist: in the card its items with who ticked them, and the form in which people tick."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.blockkit import limits
from bot.domain.checklist import Item
from bot.runs.shown import QuestionShown, RunShown
from bot.slack.verbs import Ref, Verb
from bot.slack.views import kit
from bot.slack.views.kit import Block, Element, View
from bot.slack.views.text import clip, clip_cost, one_line
from bot.slack.views.titles import check_title

OPEN, TICKED, BECAUSE = "open", "ticked", "because"
_GROUP = limits.CHOICES
_IN_CARD, _IN_FORM = 20, 90


def checklist_blocks(shown: RunShown, question: QuestionShown) -> list[Block]:
    """The items, those to be ticked with a button to the form."""
    ref = Ref(run=shown.run.id, check=question.check)
    title = clip_cost(check_title(shown, question.check), 200)
    head = kit.line(kit.t(f"{title}  ", bold=True), kit.t(question.text))
    rows = [kit.line(*_row(each)) for each in question.items[:_IN_CARD]]
    more = len(question.items) - _IN_CARD
    rows += [kit.line(kit.t(f"… and {more} more", italic=True))] if more > 0 else []
    return [kit.rich(head, *rows), *kit.actions([kit.button("Tick…", Verb.TICK, ref, style="primary")])]


def tick_modal(shown: RunShown, question: QuestionShown) -> View:
    """What is left to be ticked, ticks to take back, and why the rest is left."""
    told = [line for each in question.items if not each.done for line in _told(each)]
    blocks: list[Block] = [kit.rich(*told[:_IN_FORM])] if told else []
    blocks += _boxes(OPEN, "Done now", [each for each in question.items if not each.done])
    blocks += _boxes(TICKED, "Ticked by mistake", [each for each in question.items if each.by])
    hint = "Fill this in only to close the list with items left; it goes into the record in your name."
    blocks.append(kit.text_input(BECAUSE, "Close without the rest, because", hint=hint, optional=True, max_length=300))
    ref = Ref(run=shown.run.id, check=question.check)
    return kit.modal(Verb.TICK, check_title(shown, question.check), blocks, ref=ref, submit="Tick", close="Not now")


def filled(question: QuestionShown, keys: Iterable[str]) -> dict[str, list[str]]:
    """The inputs of the form as somebody fills them in who ticks these items."""
    wanted = set(keys)
    given: dict[str, list[str]] = {}
    for place, each in enumerate(item for item in question.items if not item.done):
        if each.key in wanted:
            given.setdefault(f"{OPEN}_{place // _GROUP}", []).append(each.key)
    return given


def names_of(name: str, groups: Iterable[str]) -> list[str]:
    """The inputs of the form that belong to one heading, of all that it has."""
    return [each for each in groups if each.rpartition("_")[0] == name]


def _row(item: Item) -> list[Element]:
    said = kit.t(clip_cost(one_line(item.title), 150))
    if item.by:
        when = [kit.t(" "), kit.moment(item.at)] if item.at else []
        return [kit.t("☑ "), said, kit.t(" – "), kit.person(item.by), *when]
    if item.seen:
        return [kit.t("☑ "), said, kit.t(" – seen by the bot")]
    return [kit.t("☐ "), said, *([kit.t(" – not so when the bot looked", italic=True)] if item.seen is False else [])]


def _told(item: Item) -> list[Element]:
    """What an item asks for, where it says more than its title."""
    if not item.help and not item.link:
        return []
    parts = [kit.t(f"{one_line(item.title)}: ", bold=True), kit.t(clip(one_line(item.help), 500))]
    if item.link.startswith(("https://", "http://")):
        parts += [kit.t(" "), {"type": "link", "url": clip(item.link, limits.URL)}]
    return [kit.line(*parts)]


def _boxes(name: str, label: str, items: Sequence[Item]) -> list[Block]:
    """Boxes for the items, ten in a group."""
    found = []
    for place in range(0, len(items), _GROUP):
        options = [kit.option(one_line(each.title), each.key) for each in items[place : place + _GROUP]]
        element = {"type": "checkboxes", "action_id": "value", "options": options}
        found.append(kit.input_block(f"{name}_{place // _GROUP}", label, element, optional=True))
    return found
