"""How the bridge is run: what it tells its operator, and what its operator does with it."""
