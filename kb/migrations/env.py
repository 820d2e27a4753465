"""What Alembic runs: the migrations over the connection that ``upgrade`` opened."""

from alembic import context

from kb import desk_tables  # noqa: F401  # its tables are of the same schema
from kb.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
