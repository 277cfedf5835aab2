"""The front door: everything a mail client, or a stranger, can say to it over SMTP."""
