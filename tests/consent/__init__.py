"""Consent: how the bridge comes by access tokens, and keeps coming by them."""
