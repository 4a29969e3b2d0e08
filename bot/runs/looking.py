"""Running the checks of a run: everything independent at once, each result recorded as it arrives."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeAlias

import structlog

from bot.authoring.rendering import render_spec
from bot.authoring.templates import TemplateError, UndefinedFact, compile_expression
from bot.domain.checklist import Checklist, checklist_of
from bot.domain.compare import changed
from bot.domain.facts import Fact, FactStatus
from bot.domain.masking import Censor
from bot.domain.outcomes import CheckEnded, QuestionAsked
from bot.domain.run import CheckStatus, Run
from bot.domain.runbook import Check, Runbook
from bot.domain.tasks import runnable
from bot.errors import BotError
from bot.runs.masking import Veil, rule_of
from bot.runs.scope import needs_of, scope_of
from bot.runs.work import Work
from bot.steps.base import Look, Question, StepContext, StepKind
from bot.steps.registry import KINDS
from bot.store import runs
from bot.store.codec import pack

log = structlog.get_logger(__name__)

_MARGIN = timedelta(seconds=2)


async def diagnose(work: Work, run: Run) -> None:
    """Run every pending check whose needs are known, until none is left that could run."""
    needs = needs_of(work.runbook)
    before = await _previous_facts(work, run)
    facts = await work.facts()
    looking: dict[asyncio.Task[Look], str] = {}
    try:
        while True:
            for key in runnable(run, needs):
                if key not in looking.values():
                    looking[asyncio.create_task(_look(work, run, work.runbook.checks[key], facts))] = key
            if not looking:
                return
            ended, _ = await asyncio.wait(looking, return_when=asyncio.FIRST_COMPLETED)
            await work.milestone("check")
            for task in ended:
                key = looking.pop(task)
                run = await _record(work, run, key, task.result(), facts, before.get(key))
    finally:
        for task in looking:
            task.cancel()
        await asyncio.gather(*looking, return_exceptions=True)


async def reread(
    work: Work, run: Run, keys: Iterable[str], *, fresh_for: timedelta = timedelta(0)
) -> tuple[Run, dict[str, Fact]]:
    """Look again at these checks and what they need, except questions and what was seen within `fresh_for`; the facts
    as they are now."""
    facts = await work.facts()
    wanted = _closure(work.runbook, keys)
    if fresh_for:
        wanted -= await work.seen_since(work.clock.now() - fresh_for)
    for wave in _waves(work.runbook, wanted):
        checks = [work.runbook.checks[key] for key in wave if run.checks[key].answered_by == ""]
        looks = await asyncio.gather(*(_look(work, run, check, facts) for check in checks))
        outcomes = []
        for check, seen in zip(checks, looks, strict=True):
            if isinstance(seen, Fact) and run.checks[check.key].status is not CheckStatus.ASKING:
                facts[check.key] = seen
                outcomes.append(CheckEnded(check.key, seen, changed=run.checks[check.key].changed))
        if outcomes:
            run = await work.record(*outcomes)
    return run, facts


Looking: TypeAlias = Callable[[StepKind, Any, StepContext], Awaitable[Look]]


async def _directly(kind: StepKind, spec: Any, context: StepContext) -> Look:
    return await kind.look(spec, context)


async def look(
    check: Check,
    scope: Mapping[str, Any],
    context: StepContext,
    facts: Mapping[str, Fact],
    looking: Looking = _directly,
) -> Look:
    """One check, never raising: what goes wrong is a failed fact that says what. `looking` is how the rendered step is
    carried out."""
    started = asyncio.get_running_loop().time()
    try:
        if check.when is not None and not compile_expression(check.when).evaluate(scope):
            return Fact(FactStatus.SKIPPED, summary="not needed")
        kind = KINDS[check.kind]
        spec = render_spec(kind, check.spec, scope)
        async with asyncio.timeout((check.timeout + _MARGIN).total_seconds()):
            return await looking(kind, spec, context)
    except UndefinedFact as error:
        return Fact(FactStatus.SKIPPED, summary=_missing(check, facts) or str(error))
    except TimeoutError:
        seconds = f"{check.timeout.total_seconds():g}"
        return Fact(
            FactStatus.TIMED_OUT, error=f"It took longer than {seconds} s and was stopped.", duration=check.timeout
        )
    except (BotError, TemplateError) as error:
        return Fact(FactStatus.FAILED, error=str(error), duration=_since(started))
    except Exception:
        reference = uuid.uuid4().hex[:8]
        log.exception("check broke", run=context.run, check=check.key, reference=reference)
        return Fact(
            FactStatus.FAILED, error=f"The bot itself failed here (reference {reference}).", duration=_since(started)
        )


async def _look(work: Work, run: Run, check: Check, facts: Mapping[str, Fact]) -> Look:
    return await look(check, scope_of(run, facts, work.clock.now()), work.context(check.timeout), facts)


def question_value(question: Question) -> dict[str, Any]:
    """A question as the value of a fact that waits for its answer."""
    form = [pack(field) for field in question.form]
    value = {"text": question.text, "form": form, "options": [dict(option) for option in question.options]}
    return {**value, "items": [item.data() for item in question.items]} if question.items else value


async def _record(work: Work, run: Run, key: str, seen: Look, facts: dict[str, Fact], before: Fact | None) -> Run:
    if isinstance(seen, Question):
        seen = _ticked_before(seen, facts.get(key))
    if isinstance(seen, Question):
        waiting = Fact(FactStatus.ASKING, question_value(seen), summary=seen.text)
        facts[key] = waiting

        async def keep(tx: Any) -> None:
            await runs.put_fact(tx, work.lease.run_id, key, waiting)

        return await work.record(QuestionAsked(key, seen.text, seen.holds), also=keep)
    facts[key] = seen
    return await work.record(CheckEnded(key, seen, changed=_differs(work, run, key, before, seen)))


def _differs(work: Work, run: Run, key: str, before: Fact | None, seen: Fact) -> str:
    """What a check sees differently than last time; what was seen then is known to nobody who would mask it later."""
    if before is None or not run.support:
        return changed(before, seen)
    veil = Veil.over(rule_of(work.system), work.runbook.checks)
    words = changed(veil.fact(key, before), veil.fact(key, seen))
    return Censor(veil.mask, [*veil.hidden(key, before), *veil.hidden(key, seen)]).words(words)


def _ticked_before(question: Question, earlier: Fact | None) -> Look:
    """A checklist that is looked at again keeps the ticks that people gave; it may be whole by now."""
    before = checklist_of(earlier.value) if earlier is not None else None
    if not question.items or before is None:
        return question
    listed = Checklist(question.items).with_ticks_of(before)
    return replace(question, text=listed.summary, items=listed.items) if listed.left else listed.fact()


async def _previous_facts(work: Work, run: Run) -> Mapping[str, Fact]:
    async with work.store.reading() as connection:
        last = await runs.previous(connection, run)
        return {} if last is None else await runs.facts(connection, last.id)


def _missing(check: Check, facts: Mapping[str, Fact]) -> str:
    """Which of its needs a check went without."""
    gone = [key for key in sorted(check.needs) if key in facts and facts[key].status is not FactStatus.DONE]
    return f"needs «{'», «'.join(gone)}», which gave nothing" if gone else ""


def _closure(runbook: Runbook, keys: Iterable[str]) -> set[str]:
    wanted: set[str] = set()
    todo = [key for key in keys if key in runbook.checks]
    while todo:
        key = todo.pop()
        if key not in wanted:
            wanted.add(key)
            todo.extend(need for need in runbook.checks[key].needs if need in runbook.checks)
    return wanted


def _waves(runbook: Runbook, wanted: set[str]) -> Iterable[list[str]]:
    """The checks in an order that respects their needs, as many at once as may be."""
    done: set[str] = set()
    while done < wanted:
        wave = sorted(key for key in wanted - done if runbook.checks[key].needs & wanted <= done)
        yield wave
        done.update(wave)


def _since(started: float) -> timedelta:
    return timedelta(seconds=asyncio.get_running_loop().time() - started)
