"""Plain frozen data and decisions: no I/O, no vendor, no clock."""
