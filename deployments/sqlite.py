"""The `prefect` command for a server on SQLite, whose writers wait for each other in a queue of its own.

python -m deployments.sqlite server start

SQLite lets one connection write at a time, and Prefect 3.8 lets the others wait inside of it. There nobody is first in
line, so one may starve; and a transaction that has read before it writes is refused at once ("database is locked"), and
the event it was about is lost: a heartbeat, the end of a run. Worse, a statement that was refused, for whatever reason,
is freed by Python's garbage collector in the event loop's thread, where it waits for its connection; if that one waits
to write, it waits for a transaction that only the event loop can end: for a minute the server answers nobody, and runs
that go well are taken for dead. So nobody here asks SQLite for the right to write before it is free. On PostgreSQL
there is none of this.
"""

import asyncio
from contextvars import ContextVar
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from prefect.cli import app
from prefect.server.database.configurations import SQLITE_BEGIN_MODE
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction
from sqlalchemy.util import await_only

import flows  # noqa: F401  keeps logins out of the server's log

_SECONDS = 60.0  # as long as Prefect lets a writer wait inside of SQLite, which decides from then on


@dataclass(slots=True)
class _Turn:
    queue: asyncio.Lock
    over: bool = False


_queues: WeakKeyDictionary[Engine | Connection, asyncio.Lock] = WeakKeyDictionary()
_turn: ContextVar[_Turn | None] = ContextVar("turn", default=None)


@event.listens_for(Session, "after_transaction_create")
def _begin(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None and SQLITE_BEGIN_MODE.get() is not None:
        _wait_for_a_turn(session)  # with no connection yet: those are few, and the one whose turn it is may need two


@event.listens_for(Session, "do_orm_execute")
def _execute(state: ORMExecuteState) -> None:
    if state.is_insert or state.is_update or state.is_delete:
        _wait_for_a_turn(state.session)


@event.listens_for(Session, "before_flush")
def _flush(session: Session, context: object, instances: object) -> None:
    _wait_for_a_turn(session)


def _wait_for_a_turn(session: Session) -> None:
    turn = _turn.get()
    if turn is not None and not turn.over:
        return  # it is this session's turn, or that of one which waits for what this one does
    queue = _queues.setdefault(session.get_bind(), asyncio.Lock())
    if await_only(_reach_the_front(queue)):
        session.info["turn"] = turn = _Turn(queue)
        _turn.set(turn)


async def _reach_the_front(queue: asyncio.Lock) -> bool:
    try:
        async with asyncio.timeout(_SECONDS):
            return await queue.acquire()
    except TimeoutError:
        return False


@event.listens_for(Session, "after_transaction_end")
def _end(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None and (turn := session.info.pop("turn", None)):
        turn.over = True
        turn.queue.release()


if __name__ == "__main__":
    app()
