"""Applying an outcome to a run inside a transaction: state, audit, messages and the next job together."""

from __future__ import annotations

from bot.domain.advance import advance
from bot.domain.events import Happened
from bot.domain.outcomes import CheckEnded, Concluded, Nudged, Previewed, RunOutcome
from bot.domain.run import ActionStatus, Run
from bot.errors import Mistake
from bot.store import approvals, runs
from bot.store.runs import Lease
from bot.store.session import Transaction


async def locked(tx: Transaction, run_id: str, lease: Lease | None = None) -> Run:
    """The run, locked until the transaction ends. Raises `Mistake` when there is none."""
    run = await runs.lock(tx, run_id, lease)
    if run is None:
        raise Mistake("This run is not known here.", hint="It may belong to another workspace or an older database.")
    return run


async def apply(tx: Transaction, run: Run, outcome: RunOutcome) -> Run:
    """The run after `outcome`, stored, audited and announced. Raises `OutOfTurn` when it does not fit."""
    after, events = advance(run, outcome, tx.now)
    await runs.save(tx, after)
    tx.record(*events, run_id=run.id, incident_id=run.incident)
    tx.announce("run", run_id=run.id, incident_id=run.incident)
    match outcome:
        case CheckEnded(key=key) if not run.state.final:
            tx.announce("check", run_id=run.id, incident_id=run.incident, body={"check": key})
        case Previewed(key=key, request=request):
            tx.announce("approval", run_id=run.id, incident_id=run.incident, body={"action": key, "request": request})
        case Concluded() if run.support:
            tx.announce("whole", run_id=run.id, incident_id=run.incident)
        case Nudged(key=key, backup=backup):
            body = {"action": key, "request": run.actions[key].request, "backup": backup, "at": tx.now.isoformat()}
            tx.announce("nudge", run_id=run.id, incident_id=run.incident, body=body)
        case _:
            pass
    for request, over in _touched(run, after).items():
        tx.announce("copies", run_id=run.id, incident_id=run.incident, body={"request": request})
        if over:
            tx.announce("homes", run_id=run.id, incident_id=run.incident, body={"request": request})
    for event in events:
        if event.kind is Happened.GLASS_BROKEN:
            body = {"action": event.data["action"], "by": event.actor, "reason": event.data["reason"]}
            tx.announce("glass", run_id=run.id, incident_id=run.incident, body=body)
    if after.state is not run.state and run.incident is not None:
        tx.announce("incident", incident_id=run.incident)
    if after.current is None:
        await approvals.release_targets(tx, run.id)
    if after.state.final and not run.state.final:
        tx.announce("ended", run_id=run.id, incident_id=run.incident)
    return after


def announce_request(tx: Transaction, run: Run, request: str) -> None:
    """The votes on a request have changed and decide nothing yet: its card and every copy of it show that."""
    tx.announce("run", run_id=run.id, incident_id=run.incident)
    tx.announce("copies", run_id=run.id, incident_id=run.incident, body={"request": request})


def _touched(before: Run, after: Run) -> dict[str, bool]:
    """The requests whose copies show something else now, and whether they have just stopped to wait."""
    requests: dict[str, bool] = {}
    for key, action in after.actions.items():
        earlier = before.actions.get(key)
        if earlier is None or earlier == action:
            continue
        over = earlier.status is ActionStatus.REQUESTED and action.status is not ActionStatus.REQUESTED
        for request in (earlier.request, action.request):
            if request is not None:
                requests[request] = requests.get(request, False) or (over and request == earlier.request)
    return requests
