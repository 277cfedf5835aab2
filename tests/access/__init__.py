"""Who may send, and who really wrote a mail: the room `access`, with name servers and signers that are real."""
