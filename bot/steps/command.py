"""The `command` kind: a declared program with declared arguments, without a shell; a change is gated."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Mapping
from datetime import timedelta
from time import perf_counter
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from bot.domain.change import EffectKey, Preview, Receipt
from bot.domain.facts import Fact, FactStatus, bounded
from bot.domain.runbook import Effect, Section
from bot.domain.system import Command as Declared
from bot.domain.system import System
from bot.errors import BotError, Mistake
from bot.steps.base import TEMPLATE, Complaint, Done, Failed, InDoubt, Look, Outcome, Spec, StepContext
from bot.steps.durations import Span, span
from bot.steps.processes import Ended, Program, run
from bot.steps.redaction import MASK

TEMPLATED = ("{{", "{%")
# What follows an equals sign at once is no name: it may be the value.
_NAME = re.compile(r"(?<![^\s\"'(\[])[A-Z][A-Z0-9]{0,30}(?:_[A-Z0-9]{1,30}){1,6}(?=[\s\"',:;.)\]=]|$)")


class CommandSpec(Spec):
    """`argv` begins with the name of one of the system's commands; every other entry is exactly one argument, whatever
    stands in it. `expect_exit` (default 0) are the exit codes that mean success. `keep: names` keeps of each line only
    the first word that is written like the name of a variable, for programs that may print what is secret."""

    argv: Annotated[list[str], TEMPLATE] = Field(min_length=1)
    expect_exit: int | list[int] = 0
    keep: Literal["everything", "names"] = "everything"
    timeout: Span | None = None

    @property
    def command(self) -> str:
        """The name of the command."""
        return self.argv[0]

    @property
    def arguments(self) -> list[str]:
        """What the program is given."""
        return self.argv[1:]


class Command:
    """Starts only what the system declares, with its arguments as they were declared."""

    name: ClassVar[str] = "command"
    spec: ClassVar[type[Spec]] = CommandSpec
    shorthand: ClassVar[str] = "argv"
    sections: ClassVar[frozenset[Section]] = frozenset({Section.CHECKS, Section.ACTIONS})
    repeatable: ClassVar[bool] = False

    def effect(self, spec: CommandSpec, section: Section) -> Effect:
        """A check looks; whatever stands in an action is taken for a change."""
        return Effect.READ if section is Section.CHECKS else Effect.WRITE

    def lint(self, spec: CommandSpec, section: Section, system: System) -> Iterable[Complaint]:
        """A known command, and arguments that are declared for this section."""
        argv = getattr(spec, "argv", None)
        if not argv:
            yield Complaint("Name one of the system's commands first, then its arguments.", "argv")
            return
        known = ", ".join(sorted(system.commands)) or "none: add one to the system's file"
        declared = system.commands.get(argv[0])
        if declared is None:
            yield Complaint(f"There is no command «{argv[0]}».", "argv.0", f"Known: {known}.")
            return
        patterns = declared.looks if section is Section.CHECKS else (*declared.looks, *declared.changes)
        if not any(_may_fit(pattern, argv[1:]) for pattern in patterns):
            kind = "looks" if section is Section.CHECKS else "changes"
            hint = f"Declare them under the command's {kind} in system.yaml; * stands for a value."
            yield Complaint(f"«{declared.name}» may not be given these arguments here.", "argv", hint)

    async def look(self, spec: CommandSpec, context: StepContext) -> Look:
        """exit, ok_exit, out, err, json and cut as a fact; failed, with all of them, on a wrong exit code."""
        started = perf_counter()
        try:
            program = _program(spec, context, looking=True)
            ended = await run(program, spec.arguments, _limit(spec, context))
        except BotError as refused:
            return _failed(context.targets.redact(refused.sentence), started)
        except TimeoutError:
            return _failed(f"{_named(spec)} took longer than {_limit(spec, context):g} s and was ended.", started)
        except OSError as trouble:
            return _failed(_unstarted(spec, trouble), started)
        value = _value(ended, spec, context)
        duration = timedelta(seconds=ended.seconds)
        summary = f"exit {ended.code}" if not value["ok_exit"] else _counted(ended)
        if value["ok_exit"]:
            return Fact(FactStatus.DONE, value, summary=summary, duration=duration)
        return Fact(
            FactStatus.FAILED, value, summary=summary, error=_ended_badly(ended, spec, value), duration=duration
        )

    async def preview(self, spec: CommandSpec, context: StepContext) -> Preview:
        """The exact arguments, secrets masked; what the program does with them cannot be rehearsed."""
        program, mask = _program(spec, context), context.targets.redact
        said = context.system.commands[spec.command].environment
        return Preview(
            headline=f"Runs {mask(shlex.join(spec.argv))}",
            payload={
                "program": mask(program.path),
                "arguments": [mask(each) for each in spec.arguments],
                "folder": mask(program.folder),
                "environment": {name: mask(each) if isinstance(each, str) else MASK for name, each in said.items()},
            },
            warnings=("The program decides what this does; it could not be rehearsed.",),
            exact=False,
            undo="cannot be undone by the bot",
        )

    async def act(self, spec: CommandSpec, approved: Preview, key: EffectKey, context: StepContext) -> Outcome:
        """Run it once. One that was ended at its limit, or that ended badly, may have done a part: in doubt."""
        try:
            program = _program(spec, context)
            ended = await run(program, spec.arguments, _limit(spec, context))
        except BotError as refused:
            return Failed(context.targets.redact(refused.sentence))
        except TimeoutError:
            return InDoubt(f"{_named(spec)} took longer than {_limit(spec, context):g} s and was ended in the middle.")
        except OSError as trouble:
            return Failed(f"{_unstarted(spec, trouble)} Nothing was done.")
        value = _value(ended, spec, context)
        if not value["ok_exit"]:
            return InDoubt(f"{_ended_badly(ended, spec, value)} It may have done a part of its work.")
        detail = {name: value[name] for name in ("exit", "out", "err")}
        return Done(Receipt(f"{_named(spec)} ended with exit code {ended.code}", detail=detail))

    async def settle(self, spec: CommandSpec, key: EffectKey, context: StepContext) -> Outcome:
        """Nobody was there to see how it ended."""
        return InDoubt(f"The bot was interrupted while {_named(spec)} was running: look what it has done.")

    def inverse(self, spec: CommandSpec, receipt: Receipt) -> Mapping[str, Any] | None:
        """The bot does not know what a program did, so it can't take it back."""
        return None


def _program(spec: CommandSpec, context: StepContext, *, looking: bool = False) -> Program:
    """What will be started. Raises Mistake for arguments that are not declared, Misconfigured for what is missing."""
    declared, program = context.targets.command(context.system, spec.command)
    if any("\x00" in argument for argument in spec.arguments):
        raise Mistake("An argument holds a NUL character.")
    _insist(declared, spec, looking=looking)
    return program


def _insist(declared: Declared, spec: CommandSpec, *, looking: bool) -> None:
    if looking and not declared.only_looks(spec.arguments):
        raise Mistake(f"A check may not give {_named(spec)} these arguments: they are not declared to change nothing.")
    if not declared.allows(spec.arguments):
        raise Mistake(f"{_named(spec)} may not be given these arguments: they are not declared.")


def _may_fit(pattern: tuple[str, ...], arguments: list[str]) -> bool:
    """Whether arguments as written can become what the pattern wants: a template only where a `*` takes its value."""
    if len(pattern) != len(arguments):
        return False
    one = Declared("", "", looks=(pattern,))
    filled = [
        wanted.replace("*", "x") if "*" in wanted and any(mark in said for mark in TEMPLATED) else said
        for wanted, said in zip(pattern, arguments, strict=True)
    ]
    return one.only_looks(filled)


def _limit(spec: CommandSpec, context: StepContext) -> float:
    limit = context.timeout if spec.timeout is None else min(span(spec.timeout), context.timeout)
    return limit.total_seconds()


def _value(ended: Ended, spec: CommandSpec, context: StepContext) -> dict[str, Any]:
    kept = _names if spec.keep == "names" else str
    out, err = (context.targets.redact(kept(text.decode("utf-8", "replace"))) for text in (ended.out, ended.err))
    expected = spec.expect_exit if isinstance(spec.expect_exit, list) else [spec.expect_exit]
    return {
        "exit": ended.code,
        "ok_exit": ended.code in expected,
        "out": bounded(out),
        "err": bounded(err),
        "json": None if ended.cut else bounded(_parsed(out)),
        "cut": ended.cut,
    }


def _names(text: str) -> str:
    """Of each line the first word that is written like a variable's name, if there is one."""
    found = (_NAME.search(line) for line in text.splitlines())
    return "\n".join(name[0] for name in found if name is not None)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _named(spec: CommandSpec) -> str:
    return f"«{spec.command}»"


def _counted(ended: Ended) -> str:
    count = len(ended.out.splitlines())
    return {0: "no output", 1: "1 line"}.get(count, f"{count} lines")


def _ended_badly(ended: Ended, spec: CommandSpec, value: Mapping[str, Any]) -> str:
    how = f"was ended by signal {-ended.code}" if ended.code < 0 else f"ended with exit code {ended.code}"
    said = next((line.strip() for line in reversed(str(value["err"]).splitlines()) if line.strip()), "")
    return f"{_named(spec)} {how}: {said[:200].rstrip('.')}." if said else f"{_named(spec)} {how}."


def _unstarted(spec: CommandSpec, trouble: OSError) -> str:
    return f"{_named(spec)} could not be started ({trouble.strerror or type(trouble).__name__})."


def _failed(error: str, started: float) -> Fact:
    return Fact(FactStatus.FAILED, error=error, duration=timedelta(seconds=perf_counter() - started))
