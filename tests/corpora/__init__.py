"""Mails as people and their mail programs write them, with the words that should be texted beside each."""
