"""What is due: the queue that wakes runs, and the sweeper that finds those nobody would wake."""
