"""The buttons of a run: choose an action, answer a question, tick, report, take back, settle, look again, end."""

from __future__ import annotations

from collections.abc import Mapping

from bot.authoring.inputs import parse_fields
from bot.errors import BadInputs, Mistake
from bot.runs.shown import QuestionShown, RunShown
from bot.slack import forms
from bot.slack.desk import Answer, Desk, Form, Open, Press, Quiet, Wrong
from bot.slack.views.checklist import BECAUSE, OPEN, TICKED, names_of, tick_modal
from bot.slack.views.question import answer_modal, report_modal
from commands.standing import insist_on_standing
from commands.support import insist_on_hands


async def choose(press: Press, desk: Desk) -> Answer:
    """Ask for an action: by its own button, or picked from the list."""
    await insist_on_hands(press.ref.run, press.user, desk)
    shown = await desk.reads.shown(press.ref.run)
    key = press.ref.action or forms.picked(shown.runbook.actions, press.value)
    await desk.people.choose(press.ref.run, key, press.user, press=press.key)
    return Quiet()


async def skip(press: Press, desk: Desk) -> Answer:
    """Leave an action out."""
    await insist_on_standing(press.ref.run, press.user, desk)
    await insist_on_hands(press.ref.run, press.user, desk)
    await desk.people.skip(press.ref.run, press.ref.action, press.user, press=press.key)
    return Quiet()


async def undo(press: Press, desk: Desk) -> Answer:
    """Ask for an action to be taken back."""
    await insist_on_hands(press.ref.run, press.user, desk)
    await desk.people.undo(press.ref.run, press.ref.action, press.user, press=press.key)
    return Quiet()


async def ask(press: Press, desk: Desk) -> Answer:
    """Open the form of a question."""
    shown = await desk.reads.shown(press.ref.run)
    return Open(answer_modal(shown, _question(shown, press.ref.check)))


async def pick(press: Press, desk: Desk) -> Answer:
    """Answer a question by picking from its list."""
    shown = await desk.reads.shown(press.ref.run, whole=True)
    question = _question(shown, press.ref.check)
    await desk.answers.answer(press.ref.run, question.check, _picked(question, press.value), press.user)
    return Quiet()


async def answer(form: Form, desk: Desk) -> Answer:
    """Answer a question by its form."""
    shown = await desk.reads.shown(form.ref.run, whole=True)
    question = _question(shown, form.ref.check)
    raw = forms.values_of(form.state, question.form)
    if question.options:
        # What was picked stands for a row; its first field is named by the form.
        picked = _picked(question, raw.get("answer") or raw.get(question.form[0].name, "") if question.form else "")
        await desk.answers.answer(form.ref.run, question.check, picked, form.user)
        return Quiet()
    try:
        known = {field.name: raw[field.name] for field in question.form if field.name in raw}
        values = parse_fields(question.form, known) if question.form else {"answer": raw.get("answer", "")}
    except BadInputs as error:
        return Wrong(forms.errors_of(error, form.state))
    await desk.answers.answer(form.ref.run, question.check, values, form.user)
    return Quiet()


async def ask_tick(press: Press, desk: Desk) -> Answer:
    """Open the form of a checklist."""
    shown = await desk.reads.shown(press.ref.run)
    return Open(tick_modal(shown, _question(shown, press.ref.check)))


async def tick(form: Form, desk: Desk) -> Answer:
    """Tick items of a checklist."""
    given = forms.values_of(form.state)
    keys = {name: {key for each in names_of(name, given) for key in given[each].split(",")} for name in (OPEN, TICKED)}
    await desk.answers.tick(
        form.ref.run,
        form.ref.check,
        form.user,
        tick=keys[OPEN],
        take_back=keys[TICKED],
        because=given.get(BECAUSE, ""),
    )
    return Quiet()


async def ask_report(press: Press, desk: Desk) -> Answer:
    """Open the form in which somebody says that a manual step is done."""
    await insist_on_hands(press.ref.run, press.user, desk)
    # Whoever is to do it by hand has to read all of it.
    shown = await desk.reads.shown(press.ref.run, whole=True)
    if press.ref.action not in shown.reports:
        raise Mistake("Nothing waits for a report here any more.")
    return Open(report_modal(shown, press.ref.action))


async def report(form: Form, desk: Desk) -> Answer:
    """A manual step is done."""
    await insist_on_hands(form.ref.run, form.user, desk)
    given = forms.values_of(form.state)
    note = "; ".join(f"{name}: {value}" if name != "note" else value for name, value in given.items())
    await desk.people.report(form.ref.run, form.ref.action, form.user, note)
    return Quiet()


async def settle_happened(press: Press, desk: Desk) -> Answer:
    """A person found that an action in doubt had happened."""
    await insist_on_hands(press.ref.run, press.user, desk)
    await desk.people.settle(press.ref.run, press.ref.action, press.user, happened=True)
    return Quiet()


async def settle_not(press: Press, desk: Desk) -> Answer:
    """A person found that an action in doubt had changed nothing."""
    await insist_on_hands(press.ref.run, press.user, desk)
    await desk.people.settle(press.ref.run, press.ref.action, press.user, happened=False)
    return Quiet()


async def look_now(press: Press, desk: Desk) -> Answer:
    """Look at a verification or a wait at once."""
    await desk.people.look_now(press.ref.run, press.ref.action, press.user, press=press.key)
    return Quiet()


async def recheck(press: Press, desk: Desk) -> Answer:
    """Run all checks again."""
    await desk.people.recheck(press.ref.run, press.user, press=press.key)
    return Quiet()


async def rows(press: Press, desk: Desk) -> Answer:
    """Bring all rows that a check saw into the thread, as a file."""
    await desk.rows.ask(press.ref.run, press.ref.check, press.user, press=press.key)
    return Quiet()


async def close(press: Press, desk: Desk) -> Answer:
    """End a run in which nothing more is to be done."""
    await desk.people.close(press.ref.run, press.user)
    return Quiet()


async def cancel(press: Press, desk: Desk) -> Answer:
    """Stop a run."""
    await insist_on_standing(press.ref.run, press.user, desk)
    await desk.people.cancel(press.ref.run, press.user)
    return Quiet()


def _question(shown: RunShown, check: str) -> QuestionShown:
    found = next((question for question in shown.questions if question.check == check), None)
    if found is None:
        raise Mistake("This question has been answered already.")
    return found


def _picked(question: QuestionShown, carried: str) -> Mapping[str, str]:
    """The option a menu's value stands for, with everything the question knows about it."""
    if question.options:
        values = [forms.option_parts(option)[0] for option in question.options]
        value = forms.picked(values, carried)
        for option in question.options:
            if forms.option_parts(option)[0] == value:
                return {**option, **{field.name: value for field in question.form[:1]}, "value": value}
    elif len(question.form) == 1:
        field = question.form[0]
        value = forms.picked(field.choices, carried)
        if value in field.choices:
            return {field.name: value}
    raise Mistake("This choice is not on the list any more; look at the newest message.")
