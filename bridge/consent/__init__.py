"""Consent: access tokens that the bridge shows mail servers, and how it comes by them (OAuth 2.0, RFC 6749).

Somebody consents once, by `device` or by `redirect`; `kept` keeps the refresh token that this brings, and `renewal`
makes access tokens of it for as long as the provider plays along. `token_file` is for those whom another program gives
their tokens. What a mail server is told with one is `mailback.token_login`.
"""
