"""The mailbox door, on a real IMAP server and a real store."""
