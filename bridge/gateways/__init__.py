"""The gateways: one file for each SMS provider, all behind the contract of `bridge.gateways.base`."""
