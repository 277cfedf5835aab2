"""The durable middle of both roads: one table of messages, and all that hangs on it."""
