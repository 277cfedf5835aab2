"""Mails and addresses that nobody would write, made by the thousand from those that somebody does."""
