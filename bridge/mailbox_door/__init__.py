"""The mailbox door: watches ordinary IMAP mailboxes and takes the mails in them that are for phones.

For who can change neither a mail server nor DNS. `door` is the station, `watch` looks after one mailbox, `addressed`
says whom a mail in it is for, `reception` what becomes of it.
"""
