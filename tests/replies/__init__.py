"""Whose reply is an SMS, and is it a command."""
