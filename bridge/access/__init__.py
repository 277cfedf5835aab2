"""Who may send, and how much at once: logins, addresses of machines, and counts of connections."""
