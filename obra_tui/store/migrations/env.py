"""What Alembic runs first: it works on the connection, and inside the transaction, that it is given."""

from alembic import context

from obra_tui.store.schema import is_compared
from obra_tui.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_name=is_compared,
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
