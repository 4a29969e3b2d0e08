"""The sample system as the sandbox takes it: its faults by name, its health, its variables and its approvers."""

from __future__ import annotations

from bot.sandbox.sample import SampleSystem
from bot.sandbox.storytailor import clouds
from bot.sandbox.storytailor.api_faults import API_FAULTS
from bot.sandbox.storytailor.door_faults import DOOR_FAULTS, PASSWORD_FAULTS
from bot.sandbox.storytailor.families import (
    ADEYEMI,
    BRANDT,
    CASTILLO,
    DUBOIS,
    EKLUND,
    FIORE,
    GRECO,
    HASSAN,
    IVANOV,
    JANSEN,
)
from bot.sandbox.storytailor.invoice_faults import INVOICE_FAULTS
from bot.sandbox.storytailor.payment_faults import PAYMENT_FAULTS
from bot.sandbox.storytailor.plan_faults import PLAN_FAULTS
from bot.sandbox.storytailor.planting import faults_of, settle
from bot.sandbox.storytailor.platform_faults import PLATFORM_FAULTS
from bot.sandbox.storytailor.refund_faults import REFUND_FAULTS
from bot.sandbox.storytailor.status_faults import STATUS_FAULTS, WHOLE_FAULTS
from bot.sandbox.storytailor.story_faults import STORY_FAULTS
from bot.sandbox.storytailor.voice_faults import VOICE_FAULTS

SYSTEM = SampleSystem(
    id="storytailor",
    faults={
        **faults_of(ADEYEMI, {**STORY_FAULTS, **STATUS_FAULTS}),
        **WHOLE_FAULTS,
        **faults_of(GRECO, PLAN_FAULTS),
        **faults_of(HASSAN, PAYMENT_FAULTS),
        **faults_of(IVANOV, REFUND_FAULTS),
        **faults_of(JANSEN, INVOICE_FAULTS),
        **faults_of(BRANDT, VOICE_FAULTS),
        **faults_of(CASTILLO, PLATFORM_FAULTS),
        **faults_of(DUBOIS, API_FAULTS),
        **faults_of(EKLUND, PASSWORD_FAULTS),
        **faults_of(FIORE, DOOR_FAULTS),
    },
    settle=settle,
    environment=clouds.environment,
    usergroups=(
        {"handle": "storytailor-support", "name": "Storytailor support leads", "users": ["chloe", "dev"]},
        {"handle": "storytailor-finance", "name": "Storytailor finance team", "users": ["ben", "dev"]},
        {"handle": "storytailor-safety", "name": "Storytailor safety team", "users": ["chloe", "dev"]},
        {"handle": "storytailor-engineering", "name": "Storytailor engineering", "users": ["ben", "chloe", "dev"]},
    ),
)
