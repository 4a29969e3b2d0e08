"""Slack's limits on Block Kit as plain numbers, read by the validator, the views and the local Slack.

Sources: docs.slack.dev/reference/block-kit for each block and element; the total of a message is undocumented and was
measured by users at about 13,200 characters (slackapi/bolt-js#2509); here it counts the compact JSON of the blocks, of
tables only the text of their cells. Lengths are in characters, counts in items.
"""

from __future__ import annotations

from typing import Final

MESSAGE_BLOCKS: Final = 50
VIEW_BLOCKS: Final = 100
MESSAGE_TEXT: Final = 40_000
MESSAGE_ATTACHMENTS: Final = 100
MESSAGE_BLOCKS_CHARACTERS: Final = 13_000
MESSAGE_TABLES: Final = 1
MARKDOWN_CHARACTERS: Final = 12_000

BLOCK_ID: Final = 255
ACTION_ID: Final = 255
TEXT: Final = 3_000
URL: Final = 3_000

SECTION_TEXT: Final = 3_000
SECTION_FIELDS: Final = 10
SECTION_FIELD: Final = 2_000
HEADER_TEXT: Final = 150
HEADER_LEVEL: Final = 4
IMAGE_ALT: Final = 2_000
IMAGE_TITLE: Final = 2_000
CONTEXT_ELEMENTS: Final = 10
ACTIONS_ELEMENTS: Final = 25
CONTEXT_ACTIONS_ELEMENTS: Final = 5
INPUT_LABEL: Final = 2_000
INPUT_HINT: Final = 2_000

TABLE_ROWS: Final = 100
TABLE_COLUMNS: Final = 20
TABLE_CHARACTERS: Final = 10_000
DATA_TABLE_ROWS: Final = 101
DATA_TABLE_PAGE: Final = 100

ALERT_TEXT: Final = 200
CARD_TITLE: Final = 150
CARD_SUBTITLE: Final = 150
CARD_BODY: Final = 200
CARD_ACTIONS: Final = 5
CAROUSEL_CARDS: Final = 10
CONTAINER_TITLE: Final = 150
CONTAINER_SUBTITLE: Final = 150
CONTAINER_BLOCKS: Final = 10
VIDEO_TITLE: Final = 199
VIDEO_AUTHOR: Final = 49
VIDEO_DESCRIPTION: Final = 200

BUTTON_TEXT: Final = 75
BUTTON_VALUE: Final = 2_000
ACCESSIBILITY_LABEL: Final = 75
AGENT_PROMPT: Final = 4_000
VISIBLE_TO: Final = 10
PLACEHOLDER: Final = 150
SELECT_OPTIONS: Final = 100
OPTION_GROUPS: Final = 100
OPTION_TEXT: Final = 75
OPTION_VALUE: Final = 150
CHOICES: Final = 10
OVERFLOW_OPTIONS: Final = 5
PLAIN_TEXT_INPUT: Final = 3_000
FILE_INPUT_FILES: Final = 10
CONFIRM_TITLE: Final = 100
CONFIRM_TEXT: Final = 300
CONFIRM_BUTTON: Final = 30

VIEW_TITLE: Final = 24
VIEW_BUTTON: Final = 24
CALLBACK_ID: Final = 255
PRIVATE_METADATA: Final = 3_000
EXTERNAL_ID: Final = 255
VIEW_STACK: Final = 3

CHANNEL_TOPIC: Final = 250
CHANNEL_PURPOSE: Final = 250
CHANNEL_NAME: Final = 80
