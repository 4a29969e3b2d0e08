"""Where alerts of other systems come in: who sent them, what they say, and that they are kept."""
