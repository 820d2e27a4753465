"""From records to answers. Meets ``ingest`` only in the database."""
