"""What an author may write for the `stripe` kind, and which families have which verbs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, model_validator

from bot.steps.base import EXPRESSION, TEMPLATE, Spec

VERBS = ("list", "retrieve", "create", "update", "cancel", "delete", "refund", "pay", "void", "send", "finalize")
READS = frozenset({"list", "retrieve"})
WITH_ID = frozenset(VERBS) - {"list", "create"}
METHODS: Mapping[str, Mapping[str, str]] = {
    "customers": {"list": "list", "retrieve": "retrieve", "create": "create", "update": "update", "delete": "delete"},
    "subscriptions": {
        "list": "list",
        "retrieve": "retrieve",
        "create": "create",
        "update": "update",
        "cancel": "cancel",
    },
    "invoices": {
        **{"list": "list", "retrieve": "retrieve", "update": "update", "pay": "pay"},
        **{"void": "void_invoice", "send": "send_invoice", "finalize": "finalize_invoice"},
    },
    "payment_intents": {
        **{"list": "list", "retrieve": "retrieve", "update": "update", "cancel": "cancel"},
        "refund": "refund",
    },
    "charges": {"list": "list", "retrieve": "retrieve", "update": "update", "refund": "refund"},
    "refunds": {"list": "list", "retrieve": "retrieve", "update": "update"},
    "disputes": {"list": "list", "retrieve": "retrieve"},
    "events": {"list": "list", "retrieve": "retrieve"},
    "products": {"list": "list", "retrieve": "retrieve"},
    "prices": {"list": "list", "retrieve": "retrieve"},
    "webhook_endpoints": {"list": "list", "retrieve": "retrieve", "update": "update"},
    "balance": {"retrieve": "retrieve"},
}
"""What may be done with which family, and the SDK's name for it."""


class StripeSpec(Spec):
    """One of list, retrieve, create, update, cancel, delete, refund, pay, void, send, finalize with a family of objects
    (customers, subscriptions, invoices, …). `id` names the object, the filters narrow a list; `amount` is in the
    smallest unit of the currency; `params` holds whatever else Stripe's API takes."""

    list: str | None = None
    retrieve: str | None = None
    create: str | None = None
    update: str | None = None
    cancel: str | None = None
    delete: str | None = None
    refund: str | None = None
    pay: str | None = None
    void: str | None = None
    send: str | None = None
    finalize: str | None = None
    id: Annotated[str | None, TEMPLATE] = None
    customer: Annotated[str | None, TEMPLATE] = None
    subscription: Annotated[str | None, TEMPLATE] = None
    price: Annotated[str | None, TEMPLATE] = None
    payment_intent: Annotated[str | None, TEMPLATE] = None
    charge: Annotated[str | None, TEMPLATE] = None
    status: Annotated[str | None, TEMPLATE] = None
    email: Annotated[str | None, TEMPLATE] = None
    type: Annotated[str | None, TEMPLATE] = None
    since: Annotated[Any, EXPRESSION] = None
    limit: int = 20
    amount: Annotated[Any, EXPRESSION] = None
    reason: Annotated[str | None, TEMPLATE] = None
    at_period_end: bool = False
    metadata: Annotated[dict[str, str], TEMPLATE] = Field(default_factory=dict)
    params: Annotated[dict[str, Any], TEMPLATE] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_verb(self) -> StripeSpec:
        """Exactly one thing to do, with a family that has it."""
        said = [verb for verb in VERBS if getattr(self, verb) is not None]
        if len(said) != 1:
            raise ValueError(f"say exactly one of {', '.join(VERBS)}")
        if self.family not in METHODS:
            raise ValueError(f"there is no family {self.family}; known are {', '.join(METHODS)}")
        if self.verb not in METHODS[self.family]:
            raise ValueError(f"{self.family} can be used with {', '.join(METHODS[self.family])}, not with {self.verb}")
        return self

    @property
    def verb(self) -> str:
        """What is done."""
        return next(verb for verb in VERBS if getattr(self, verb) is not None)

    @property
    def family(self) -> str:
        """With which objects."""
        return str(getattr(self, self.verb))
