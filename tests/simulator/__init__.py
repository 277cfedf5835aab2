"""The simulated phone network and its page, run for real."""
