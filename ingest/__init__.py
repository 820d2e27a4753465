"""From files and other centres to records. Meets ``search`` only in the database."""
