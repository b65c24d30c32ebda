"""The `prefect` command for a server on SQLite, with transactions that wait for each other.

python -m deployments.sqlite server start

Prefect 3.8 lets a transaction read before it takes the right to write. If another one wrote in between, SQLite refuses
it at once ("database is locked"), and the event it was about is lost: a heartbeat, the end of a run. Worse, Python's
garbage collector later frees the refused statement in the event loop's thread, where it waits for its connection, which
waits for a transaction that only the event loop can end: for a minute the server answers nobody, and runs that go well
are taken for dead. On a PostgreSQL there is none of this.
"""

from contextvars import ContextVar
from typing import Any

from prefect.cli import app
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine

_outer: ContextVar[Connection | None] = ContextVar("outer", default=None)


@event.listens_for(Engine, "before_cursor_execute", retval=True)
def _begin_with_the_right_to_write(
    connection: Connection, cursor: Any, statement: str, parameters: Any, context: Any, executemany: bool
) -> tuple[str, Any]:
    if statement != "BEGIN DEFERRED":
        return statement, parameters
    outer = _outer.get()
    if outer is not None and outer.in_transaction():
        return statement, parameters  # what a transaction reads through another connection must not wait for it
    _outer.set(connection)
    return "BEGIN IMMEDIATE", parameters


if __name__ == "__main__":
    app()
