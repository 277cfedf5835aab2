"""How a mail is read: addresses, MIME, HTML, options and what is cut."""
