"""The mails the bridge writes, read back by the parsers that real clients and servers use."""
