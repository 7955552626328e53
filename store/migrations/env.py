"""Alembic's entry: runs the steps on the connection `migrations.upgrade` hands over."""

from typing import Any, Literal

from alembic import context

from store.tables import Moment, metadata


def _render(kind: str, item: Any, _: Any) -> str | Literal[False]:
    """Write the database's type into a step, not ours: a step must stand on its own."""
    return "sa.DateTime()" if kind == "type" and isinstance(item, Moment) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,  # the caller's transaction is the only one
    render_as_batch=True,
    render_item=_render,
)
context.run_migrations()
