"""A modem or phone of one's own behind gammu-smsd, reached by the tables of its SQL service."""
