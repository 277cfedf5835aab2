"""A phone network and a catch-all mailbox, to try the bridge without an account at any provider."""
