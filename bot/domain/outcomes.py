"""Everything that can happen to a run: the closed set of words that `advance` understands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from bot.domain.approval import Verdict
from bot.domain.change import Receipt
from bot.domain.facts import Fact
from bot.domain.run import Conclusion


@dataclass(frozen=True, slots=True)
class CheckEnded:
    """A check's fact is known; `by` is the person who answered, for a question."""

    key: str
    fact: Fact
    by: str = ""
    changed: str = ""


@dataclass(frozen=True, slots=True)
class QuestionAsked:
    """A check needs a person's answer before its fact is known; one that `holds` also before the run ends."""

    key: str
    text: str
    holds: bool = False


@dataclass(frozen=True, slots=True)
class Ticked:
    """Somebody ticked items of a checklist, or took ticks back, by their titles; something is left to tick."""

    key: str
    by: str
    ticked: tuple[str, ...]
    taken_back: tuple[str, ...]
    summary: str


@dataclass(frozen=True, slots=True)
class Concluded:
    """Every check that could run has ended; these findings hold."""

    conclusions: tuple[Conclusion, ...]


@dataclass(frozen=True, slots=True)
class Restated:
    """The same findings hold, and their sentences over the facts of now are different."""

    conclusions: tuple[Conclusion, ...]


@dataclass(frozen=True, slots=True)
class Recheck:
    """A person wants all checks run again."""

    by: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """A person asks for an action; `undo_of` names the action it takes back."""

    key: str
    by: str
    undo_of: str = ""


@dataclass(frozen=True, slots=True)
class Previewed:
    """The preview is made and approval is asked for under `request`; the same vote decides on the actions in `also`.
    The first reminder is due at `nudge_at`."""

    key: str
    request: str
    headline: str
    reversible: bool
    expires_at: datetime
    nudge_at: datetime | None = None
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Nudged:
    """The approvers, or their backup, were reminded of a request nobody has decided; the next time is at `next`."""

    key: str
    backup: bool
    next: datetime


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A person wants the action done in a window: it is previewed and asked for anew, for that window only."""

    key: str
    by: str
    opens: datetime
    closes: datetime


@dataclass(frozen=True, slots=True)
class Ungated:
    """The action changes nothing outside the bot (a wait): it goes ahead without approval."""

    key: str
    headline: str


@dataclass(frozen=True, slots=True)
class NotNeeded:
    """An action of the plan does not apply, by its own condition: nothing was changed, and the plan goes on."""

    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class NotPreviewed:
    """The action cannot be asked for: nothing was changed; `reason` says why."""

    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class Edited:
    """A person changes the text of a message that waits for its yes; it is previewed and asked for anew."""

    key: str
    by: str
    edits: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Decided:
    """The votes amount to a final verdict."""

    key: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Voided:
    """What was approved is no longer what would be done; `again` asks for a fresh preview."""

    key: str
    reason: str
    again: bool


@dataclass(frozen=True, slots=True)
class Intended:
    """The intent is recorded: from here on the effect may have happened."""

    key: str


@dataclass(frozen=True, slots=True)
class Effected:
    """The effect happened. `verify_within` is None when there is nothing to verify."""

    key: str
    receipt: Receipt
    verify_within: timedelta | None


@dataclass(frozen=True, slots=True)
class NotEffected:
    """The effect did not happen: nothing changed."""

    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class Doubted:
    """It cannot be known whether the effect happened."""

    key: str
    why: str


@dataclass(frozen=True, slots=True)
class WaitsFor:
    """The action waits for a person, or looks again at `due` until `deadline`."""

    key: str
    what: str
    due: datetime | None = None
    deadline: datetime | None = None


@dataclass(frozen=True, slots=True)
class Looked:
    """A verification or a wait was looked at: it holds, or it is looked at again at `due`; past its deadline it never
    will be."""

    key: str
    holds: bool
    due: datetime
    why: str = ""


@dataclass(frozen=True, slots=True)
class LookNow:
    """A person does not want to wait for the next look; one that was given up is begun again for `within`."""

    key: str
    by: str
    within: timedelta


@dataclass(frozen=True, slots=True)
class Settled:
    """A person says what became of an action in doubt."""

    key: str
    by: str
    happened: bool


@dataclass(frozen=True, slots=True)
class Reported:
    """A person says they have done what they were asked to do."""

    key: str
    by: str
    note: str
    verify_within: timedelta | None


@dataclass(frozen=True, slots=True)
class Skipped:
    """A person leaves an action out."""

    key: str
    by: str


@dataclass(frozen=True, slots=True)
class Closed:
    """A person ends the run: nothing more is to be done."""

    by: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """A person stops the run."""

    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Broke:
    """The bot itself failed; the error is in the log under `reference`."""

    reference: str


RunOutcome: TypeAlias = (
    CheckEnded
    | QuestionAsked
    | Ticked
    | Concluded
    | Restated
    | Recheck
    | Chosen
    | Previewed
    | Nudged
    | Scheduled
    | Ungated
    | NotNeeded
    | NotPreviewed
    | Edited
    | Decided
    | Voided
    | Intended
    | Effected
    | NotEffected
    | Doubted
    | WaitsFor
    | Looked
    | LookNow
    | Settled
    | Reported
    | Skipped
    | Closed
    | Cancelled
    | Broke
)
