"""The notify kind: the message that was shown goes out once, by a real mail server, a real service, or the outbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.runbook import Section
from bot.errors import Refusal
from bot.steps.base import Done, Failed, InDoubt, Outcome, StepContext
from bot.steps.notify import Notify, NotifySpec, message_id
from tests.steps.conftest import KEY, SYSTEM, MakeContext
from tests.steps.services import Mailbox, api, mailbox

pytestmark = pytest.mark.incidents
NOTIFY = Notify()
TOKEN = "Bearer secret-token-123"


@pytest.fixture
async def box() -> AsyncIterator[Mailbox]:
    """A running mail server."""
    async with mailbox() as running:
        yield running


@pytest.fixture
def post(make_context: MakeContext, box: Mailbox) -> StepContext:
    """A context whose mail server is the running one."""
    return make_context({"SHOP_MAIL_PORT": str(box.port)})


async def send(context: StepContext, **fields: Any) -> Outcome:
    """Preview and act."""
    spec = NotifySpec(**fields)
    return await NOTIFY.act(spec, await NOTIFY.preview(spec, context), KEY, context)


MAIL: dict[str, Any] = {
    "via": "email",
    "to": "ann@shop.test",
    "subject": "Grüße 💌",
    "body": "Hello Ann,\n.\nall is well.",
}


async def test_a_mail_is_shown_and_arrives_as_shown(post: StepContext, box: Mailbox) -> None:
    """Recipient, subject and body are in the preview; the mail has them, and the effect's own Message-ID."""
    spec = NotifySpec(**MAIL)
    preview = await NOTIFY.preview(spec, post)
    assert preview.payload == MAIL
    assert box.mails == []
    outcome = await NOTIFY.act(spec, preview, KEY, post)
    assert isinstance(outcome, Done), outcome
    (mail,) = box.mails
    assert (mail["To"], mail["From"], mail["Subject"]) == ("ann@shop.test", "bot@shop.test", "Grüße 💌")
    assert "all is well." in mail.get_content()
    assert mail["Message-ID"] == message_id(KEY, "bot@shop.test") == outcome.receipt.detail["message_id"]


async def test_headers_cannot_be_smuggled_into_a_mail(post: StepContext, box: Mailbox) -> None:
    """A subject is one line; a recipient is one address."""
    assert isinstance(await send(post, **{**MAIL, "subject": "Hi\r\nBcc: all@shop.test"}), Done)
    assert box.mails[0]["Bcc"] is None
    for to in ("a@shop.test, b@shop.test", "a@shop.test\r\nBcc: b@shop.test", "nobody", ""):
        with pytest.raises(Refusal):
            await send(post, **{**MAIL, "to": to})
    assert len(box.mails) == 1


async def test_a_refused_mail_was_not_sent(post: StepContext, box: Mailbox, make_context: MakeContext) -> None:
    """A refusal, and a server that is not there: nothing was sent."""
    box.refuse = True
    refused = await send(post, **MAIL)
    assert isinstance(refused, Failed)
    assert "refused the recipient" in refused.reason
    absent = await send(make_context(), **MAIL)
    assert isinstance(absent, Failed)
    assert "does not answer" in absent.reason


async def test_a_line_that_breaks_after_the_message_is_in_doubt(post: StepContext, box: Mailbox) -> None:
    """Nobody knows whether the mail was taken (2)."""
    box.hang_up = True
    assert isinstance(await send(post, **MAIL), InDoubt)
    assert isinstance(await NOTIFY.settle(NotifySpec(**MAIL), KEY, post), InDoubt)


async def test_secrets_never_go_out(post: StepContext, box: Mailbox) -> None:
    """A secret that a fact carried into the text is masked in the preview and in the mail."""
    post.targets.service(post.system, "api")  # the token is in use
    spec = NotifySpec(**{**MAIL, "body": f"The token is {TOKEN}."})
    preview = await NOTIFY.preview(spec, post)
    assert preview.payload["body"] == "The token is •••."
    await NOTIFY.act(spec, preview, KEY, post)
    assert "secret-token-123" not in box.mails[0].as_string()


async def test_a_slack_message_is_for_the_announcer(post: StepContext) -> None:
    """It is handed over with the receipt, so it is as durable as the action's end; an interrupted one was not sent."""
    outcome = await send(post, to="#status", body="We are looking into it.")
    assert isinstance(outcome, Done)
    assert outcome.receipt.detail == {
        "slack": {"to": "#status", "subject": "", "text": "We are looking into it."},
    }
    assert isinstance(await NOTIFY.settle(NotifySpec(to="#status", body="x"), KEY, post), Failed)


async def test_a_webhook(make_context: MakeContext) -> None:
    """A service gets subject and text, with its secret and the effect's key; a broken line is in doubt."""
    async with api() as service:
        context = make_context({"SHOP_API": service.url})
        fields = {"via": "webhook", "to": "api", "subject": "S", "body": "B"}
        assert isinstance(await send(context, **fields), Done)
        (sent,) = service.seen
        assert sent["body"] == '{"subject": "S", "text": "B"}'
        assert sent["headers"]["Idempotency-Key"] == str(KEY)
        service.status = 404
        assert isinstance(await send(context, **fields), Failed)
        service.drop = True
        assert isinstance(await send(context, **fields), InDoubt)
    assert isinstance(await send(make_context(), **fields), Failed)


async def test_a_template_that_was_not_filled_in_is_never_sent(post: StepContext, box: Mailbox) -> None:
    """Rendering puts the template's text into subject and body; without it nothing goes out."""
    with pytest.raises(Refusal, match="was not filled in"):
        await send(post, via="email", to="ann@shop.test", template="hello")
    assert isinstance(await send(post, **{**MAIL, "template": "hello"}), Done)


def test_lint() -> None:
    """Somebody, something to say, and a way to send it."""

    def fields(system: Any = SYSTEM, **spec: Any) -> list[str]:
        return [each.field for each in NOTIFY.lint(NotifySpec(**spec), Section.ACTIONS, system)]

    assert fields(**MAIL) == []
    assert fields(to="#x", template="hello") == []
    assert fields(to="#x") == ["body"]
    assert fields(to="#x", template="gone") == ["template"]
    assert fields(replace(SYSTEM, mail=None), via="email", to="a@b", body="x") == ["via", "subject"]
    assert fields(via="webhook", to="gone", body="x") == ["to"]
