"""Tests of filing: a whole bridge, a simulated phone network and a real Dovecot."""
