"""What Alembic runs first: it works on the connection, and inside the transaction, that it is given."""

from alembic import context

from obra_tui.store.migrate import not_search
from obra_tui.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_name=not_search,
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
