"""Where composed mails leave the bridge: the relay, which is the mail server that takes them to the mailboxes."""
