"""SMPP 3.4 and 5.0: codec, session, binds, and the gateway made of them."""
