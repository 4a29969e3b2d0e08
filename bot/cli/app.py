"""Every command of `runbook`, each a few lines over the rooms that do the work.

A command imports what it needs when it is called: `runbook --help` should not wait for Slack's and Stripe's libraries.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import calendars, faults, proving, records, watched
from bot.cli.console import Exit, as_json, err, fail, in_loop, out
from bot.domain.approval import Choice
from bot.errors import BotError

if TYPE_CHECKING:
    from bot.authoring.catalogue import Catalogue

cli = typer.Typer(
    name="runbook",
    help="Incident runbooks that run: diagnosed in Slack, changed only after an approver's click, recorded whole.",
    epilog="Ends with 0: done, 1: not as wished, 2: a mistake in the words, 3: something it needs is missing.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

RunbooksPath = Annotated[Path, typer.Option("--runbooks", help="The folder with one folder a system.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
RunNumber = Annotated[int, typer.Argument(help="The run's number, as on its card.", min=1)]
AsUser = Annotated[str, typer.Option("--as", help="Your Slack user id, such as U0BEN.")]
SHIPPED = Path(__file__).resolve().parents[2] / "runbooks"
FACTS = SHIPPED.parent / "tests" / "coverage"


@cli.command()
def sandbox(
    port: Annotated[int, typer.Option(help="The port of the page; 0 takes a free one.", min=0, max=65535)] = 8200,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open a browser.")] = False,
    data: Annotated[Path | None, typer.Option(help="Where PostgreSQL keeps its files.")] = None,
    monitors: Annotated[bool, typer.Option("--monitors", help="Look at the monitors; the faults page.")] = False,
) -> None:
    """Open everything in a browser.

    A local Slack, a sample system with planted faults, a local Stripe, and the bot; Ctrl-C ends it all.
    """
    from bot.cli.sandbox import open_sandbox
    from bot.telemetry import set_up

    set_up("WARNING")
    in_loop(open_sandbox(port, browser=not no_browser, data=data, monitors=monitors))


@cli.command()
def serve(
    no_worker: Annotated[
        bool, typer.Option("--no-worker", help="Only listen to Slack; another process works.")
    ] = False,
) -> None:
    """Listen to Slack and work on runs, until stopped."""
    _stay(listen=True, work=not no_worker)


@cli.command()
def worker() -> None:
    """Work on runs without listening to Slack, until stopped."""
    _stay(listen=False, work=True)


@cli.command("migrate")
def migrate_() -> None:
    """Bring the bot's database to this release's revision."""
    from bot.store.migrate import head, migrate
    from bot.store.session import engine_of

    async def work() -> None:
        engine = engine_of(_database_url())
        try:
            await migrate(engine)
        finally:
            await engine.dispose()

    in_loop(work())
    out.print(f"The database is at revision {head()}.")


@cli.command()
def lint(
    path: Annotated[Path, typer.Argument(help="A folder of runbooks.")] = SHIPPED,
    json: AsJson = False,
) -> None:
    """Check runbooks and say where each problem is.

    Every problem of every file at once, with its place and how to mend it.
    """
    from bot.authoring.loader import load_tree
    from bot.authoring.problems import as_data, as_text
    from bot.slack.views.spell import count

    catalogue, problems = load_tree(path)
    errors = [problem for problem in problems if problem.level == "error"]
    if json:
        as_json(as_data(problems))
    elif problems:
        out.print(as_text(problems), markup=False)
    if not json:
        warnings = len(problems) - len(errors)
        found = count(len(catalogue), "runbook"), count(len(errors), "error"), count(warnings, "warning")
        out.print(f"{', '.join(found)}.")
    raise typer.Exit(int(Exit.NOT_AS_WISHED if errors else Exit.DONE))


@cli.command("coverage")
def coverage_(
    facts: Annotated[Path, typer.Argument(help="A folder with facts.yaml and carried.yaml for each system.")] = FACTS,
    runbooks: RunbooksPath = SHIPPED,
    json: AsJson = False,
) -> None:
    """Hold the runbooks against their sources.

    Facts of the sources, each with an id, on one side; where the runbooks carry them on the other; what is missing.
    """
    from bot.cli.coverage import covered

    try:
        complete = covered(_catalogue(runbooks), facts, json=json)
    except BotError as error:
        fail(str(error), Exit.NOT_AS_WISHED, error.hint)
    raise typer.Exit(int(Exit.DONE if complete else Exit.NOT_AS_WISHED))


@cli.command("list")
def list_(
    words: Annotated[list[str] | None, typer.Argument(help="Words from a title or a symptom.")] = None,
    runbooks: RunbooksPath = SHIPPED,
    json: AsJson = False,
) -> None:
    """List the runbooks, or those that fit some words."""
    from bot.cli import listing

    listing.listed(_catalogue(runbooks), " ".join(words or ()), json=json)


@cli.command()
def show(
    id: Annotated[str, typer.Argument(help="The runbook's id, such as RB-011.")],
    runbooks: RunbooksPath = SHIPPED,
    json: AsJson = False,
) -> None:
    """Show what a runbook asks, checks, finds and can do."""
    from bot.cli import listing

    try:
        listing.shown(_catalogue(runbooks), id, json=json)
    except BotError as error:
        fail(str(error), Exit.MISTAKE, error.hint)


@cli.command()
def run(
    id: Annotated[str, typer.Argument(help="The runbook's id, such as RB-011.")],
    inputs: Annotated[list[str] | None, typer.Argument(help="Inputs as name=value.")] = None,
    sandbox: Annotated[bool, typer.Option("--sandbox", help="Against a throw-away sandbox.")] = False,
    fault: Annotated[str, typer.Option(help="With --sandbox: the fault to plant first.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="With --sandbox: approve everything.")] = False,
) -> None:
    """Run a runbook in the terminal, with live progress.

    Approval is asked of a second person: of the approvers in Slack, or with --sandbox of you as one of them.
    """
    from bot.cli import terminal
    from bot.settings import environment, read_settings
    from bot.telemetry import set_up

    set_up("WARNING")
    if (fault or yes) and not sandbox:
        fail("--fault and --yes are only for the sandbox.", Exit.MISTAKE, "Add --sandbox.")
    pairs = _pairs(inputs or [])
    if sandbox:
        in_loop(terminal.run_in_sandbox(id, pairs, fault=fault, approve_all=yes))
    else:
        settings = read_settings()
        in_loop(terminal.run_for_real(settings, environment(), id, pairs))


@cli.command()
def approve(number: RunNumber, user: AsUser) -> None:
    """Approve what waits in a run, from a terminal.

    Shows all of it, then asks for a code of your authenticator (see enrol); the same rules hold as in Slack.
    """
    _vote(number, user, Choice.APPROVE, "")


@cli.command()
def deny(
    number: RunNumber, user: AsUser, reason: Annotated[str, typer.Option(help="Why not; everybody sees it.")]
) -> None:
    """Deny what waits in a run, from a terminal."""
    _vote(number, user, Choice.DENY, reason)


@cli.command()
def enrol(
    user: Annotated[str, typer.Argument(help="A Slack user id, such as U0BEN.")] = "",
    new_key: Annotated[bool, typer.Option("--new-key", help="Only print a new SECOND_FACTOR_KEY.")] = False,
) -> None:
    """Give a voter an authenticator, for second proofs."""
    from bot.cli import votes
    from bot.runs import factors
    from bot.settings import read_settings

    if new_key:
        print(factors.new_key())
        return
    if not user:
        fail("Say whom to enrol, by Slack user id.", Exit.MISTAKE)
    _database_url()
    in_loop(votes.enrol(read_settings(), user))


@cli.command()
def drill(
    ids: Annotated[list[str] | None, typer.Argument(help="Runbooks to drill.")] = None,
    all: Annotated[bool, typer.Option("--all", help="Every runbook that has drills.")] = False,
    branch: Annotated[str, typer.Option(help="Only this branch.")] = "",
    processes: Annotated[int, typer.Option(help="How many drills at once; 0: one a core.", min=0, max=64)] = 1,
    json: AsJson = False,
    record: Annotated[bool, typer.Option("--record", help="Record what is proven, into DATABASE_URL.")] = False,
    share: Annotated[str, typer.Option(hidden=True)] = "",
    lines: Annotated[bool, typer.Option("--lines", hidden=True)] = False,
) -> None:
    """Rehearse runbooks in a throw-away sandbox.

    Plants each fault and plays it through Slack: findings, approval, effect, verification, and the time of each.
    Times are without Slack's rate limits.
    """
    from bot.cli import rehearsal
    from bot.telemetry import set_up

    set_up("ERROR")
    if not ids and not all:
        fail("Say which runbook to drill, or --all.", Exit.MISTAKE)
    wanted = rehearsal.Wanted(tuple(ids or ()), all, branch, share)
    if lines:
        in_loop(rehearsal.in_lines(wanted))
        return
    if record:
        report, taken = in_loop(rehearsal.recorded(wanted, processes, quiet=json))
    else:
        report, taken = in_loop(rehearsal.rehearse(wanted, processes, quiet=json)), None
    if json:
        as_json(report.data())
    else:
        out.print(report.table(), markup=False)
        if taken is not None:
            out.print(proving.recorded(taken), markup=False)
    raise typer.Exit(int(Exit.DONE if report.passed else Exit.NOT_AS_WISHED))


@cli.command()
def bench(
    rounds: Annotated[int, typer.Option(help="How often each figure is taken.", min=1, max=1000)] = 20,
    json: AsJson = False,
) -> None:
    """Measure the bot, each figure beside a floor.

    Under Slack's rate limits, as in production: 20 rounds take five minutes.
    """
    from bot.cli import bench as measure
    from bot.telemetry import set_up

    set_up("ERROR")
    figures = in_loop(measure.bench(rounds))
    if json:
        as_json([figure.data() for figure in figures])
        return
    for figure in figures:
        out.print(figure.line(), markup=False)


@cli.command()
def doctor(json: AsJson = False) -> None:
    """Check everything the bot depends on.

    Settings, database, migrations, Slack token and scopes, runbooks, Stripe keys; says how to mend each.
    """
    from bot.cli import doctor as checkup
    from bot.cli.sandbox import MANIFEST
    from bot.settings import environment
    from bot.telemetry import set_up

    set_up("ERROR")
    findings = in_loop(checkup.examine(environment(), MANIFEST))
    if json:
        as_json([finding.data() for finding in findings])
    else:
        for finding in findings:
            out.print(finding.line(), markup=False)
    raise typer.Exit(int(Exit.DONE if all(finding.ok for finding in findings) else Exit.NOT_AS_WISHED))


cli.add_typer(records.audit, name="audit")
cli.add_typer(records.incident, name="incident")
cli.add_typer(faults.fault, name="fault")
cli.command()(records.evidence)
cli.command()(records.approvals)
cli.command()(proving.prove)
cli.command()(proving.canary)
cli.command()(watched.monitors)
cli.command()(calendars.calendar)


def _vote(number: int, user: str, choice: Choice, reason: str) -> None:
    from bot.cli import votes
    from bot.settings import environment, read_settings
    from bot.telemetry import set_up

    set_up("WARNING")
    in_loop(votes.vote(read_settings(), environment(), number, user, choice, reason))


def _stay(*, listen: bool, work: bool) -> None:
    from bot.main import running
    from bot.settings import environment, read_settings
    from bot.telemetry import set_up

    async def stay() -> None:
        settings = read_settings()
        set_up(settings.log_level, settings.log_format)
        async with running(settings, environment(), listen=listen, work=work):
            await asyncio.Event().wait()

    in_loop(stay())


def _database_url() -> str:
    from bot.settings import read_settings

    url = read_settings().database_url.get_secret_value()
    if not url:
        fail("DATABASE_URL is not set.", Exit.MISSING, "docs/settings.md lists every variable.")
    return url


def _catalogue(path: Path) -> Catalogue:
    from bot.authoring.loader import catalogue_at

    try:
        return catalogue_at(path)
    except BotError as error:
        fail(str(error), Exit.NOT_AS_WISHED, error.hint)


def _pairs(words: list[str]) -> dict[str, str]:
    pairs = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            fail(f"«{word}» is not name=value.", Exit.MISTAKE)
        pairs[name] = value
    return pairs


def main() -> None:
    """The entry of `runbook`."""
    try:
        cli()
    except BrokenPipeError:
        err.file.close()
