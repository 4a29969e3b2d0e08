"""The buttons of a run: choose an action, answer a question, report, take back, settle, look again, end."""

from __future__ import annotations

from bot.authoring.inputs import parse_fields
from bot.errors import BadInputs, Mistake
from bot.runs.shown import QuestionShown, RunShown
from bot.slack.desk import Answer, Desk, Form, Open, Press, Quiet, Say, Wrong
from bot.slack.forms import errors_of, values_of
from bot.slack.views.question import answer_modal, report_modal


async def choose(press: Press, desk: Desk) -> Answer:
    """Ask for an action: by its own button, or picked from the list."""
    await desk.people.choose(press.ref.run, press.ref.action, press.user)
    return Quiet()


async def skip(press: Press, desk: Desk) -> Answer:
    """Leave an action out."""
    await desk.people.skip(press.ref.run, press.ref.action, press.user)
    return Quiet()


async def undo(press: Press, desk: Desk) -> Answer:
    """Ask for an action to be taken back."""
    await desk.people.undo(press.ref.run, press.ref.action, press.user)
    return Quiet()


async def ask(press: Press, desk: Desk) -> Answer:
    """Open the form of a question."""
    shown = await desk.reads.shown(press.ref.run)
    return Open(answer_modal(shown, _question(shown, press.ref.check)))


async def pick(press: Press, desk: Desk) -> Answer:
    """Answer a question by picking from its list."""
    shown = await desk.reads.shown(press.ref.run)
    question = _question(shown, press.ref.check)
    chosen = next((option for option in question.options if option.get("value") == press.value), None)
    if chosen is None:
        raise Mistake("This choice is not on the list any more; look at the newest message.")
    await desk.people.answer(press.ref.run, question.check, dict(chosen), press.user)
    return Quiet()


async def answer(form: Form, desk: Desk) -> Answer:
    """Answer a question by its form."""
    shown = await desk.reads.shown(form.ref.run)
    question = _question(shown, form.ref.check)
    try:
        values = parse_fields(question.form, values_of(form.state))
    except BadInputs as error:
        return Wrong(errors_of(error))
    await desk.people.answer(form.ref.run, question.check, values, form.user)
    return Quiet()


async def ask_report(press: Press, desk: Desk) -> Answer:
    """Open the form in which somebody says that a manual step is done."""
    shown = await desk.reads.shown(press.ref.run)
    return Open(report_modal(shown, press.ref.action))


async def report(form: Form, desk: Desk) -> Answer:
    """A manual step is done."""
    note = values_of(form.state).get("note", "")
    await desk.people.report(form.ref.run, form.ref.action, form.user, note)
    return Quiet()


async def settle_happened(press: Press, desk: Desk) -> Answer:
    """A person found that an action in doubt had happened."""
    await desk.people.settle(press.ref.run, press.ref.action, press.user, happened=True)
    return Quiet()


async def settle_not(press: Press, desk: Desk) -> Answer:
    """A person found that an action in doubt had changed nothing."""
    await desk.people.settle(press.ref.run, press.ref.action, press.user, happened=False)
    return Quiet()


async def recheck(press: Press, desk: Desk) -> Answer:
    """Run all checks again."""
    await desk.people.recheck(press.ref.run, press.user)
    return Quiet()


async def close(press: Press, desk: Desk) -> Answer:
    """End a run in which nothing more is to be done."""
    await desk.people.close(press.ref.run, press.user)
    return Quiet()


async def cancel(press: Press, desk: Desk) -> Answer:
    """Stop a run."""
    run = await desk.people.cancel(press.ref.run, press.user)
    return Say(f"Run {run.number} is cancelled.")


def _question(shown: RunShown, check: str) -> QuestionShown:
    found = next((question for question in shown.questions if question.check == check), None)
    if found is None:
        raise Mistake("This question has been answered already.")
    return found
