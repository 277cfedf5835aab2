"""The bridge's HTTP side: callbacks of SMS providers and health."""
