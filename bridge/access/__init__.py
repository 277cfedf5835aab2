"""Who may send, how much at once, and who really wrote: logins, networks, counts of connections, and the checks of mail
from the open Internet."""
