"""The Slack room: what people see (views), what they press (verbs, forms) and how the bot talks to Slack (client)."""
