"""Pure views: from what is shown to Block Kit and plain words; they read no store, no clock and no vendor."""
