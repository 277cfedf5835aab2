"""The HTTP side of the bridge: provider callbacks, health, the listener."""
