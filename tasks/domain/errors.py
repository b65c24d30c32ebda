"""The tree of errors, by what has to be done about each.

KefuError                     every error of this project; the message states what happened, where, and what to do next
├── UsageError                wrong flag, setting or input; nothing was started (exit 2)
├── RunError                  the run can't go on; what was paid for is kept (exit 1)
│   ├── CeilingReached        the run has spent what it may (exit 5)
│   ├── NoLogs                the day has no log objects, or nothing in them
│   ├── DayBusy               another run holds the day
│   ├── LeaseLost             this run held the day and was taken for dead
│   ├── AccountingError       rows and rejects do not add up to what was read: a bug, never published
│   ├── StoreError            object store or folder
│   │   ├── StoreUnavailable  faults outlasted the retries
│   │   ├── StoreRefused      credentials or permissions
│   │   ├── BucketMissing     no such bucket (or folder), or in another region
│   │   ├── ObjectMissing     no such object
│   │   ├── PreconditionFailed  somebody else wrote the object first
│   │   └── StoreFull         no space, or read-only
│   ├── PlatformError         the model platform
│   │   ├── PlatformUnavailable  faults outlasted the retries; what was asked for may have been done
│   │   ├── PlatformBusy      as many jobs as it allows at once are under way
│   │   ├── PlatformRefused   it does not take the request, key or name
│   │   └── ModelFailed       training, publishing or deploying failed there
│   ├── NotPromoted           the candidate is not good enough to take over
│   └── EndpointUnusable      no conversation can be summarized through this endpoint now
│       ├── CredentialsRefused  key, token or permission
│       ├── EndpointMissing   no such endpoint, model or address
│       ├── AllowanceUsedUp   the day's or account's total, or unpaid bills
│       ├── CertificateUntrusted  the server's certificate is not one that this machine trusts
│       ├── EndpointDown      faults outlasted every retry
│       └── AnswersUseless    too many answers hold no summary (exit 4)
│           └── AnswersChanged  golden conversations are answered otherwise than on the nights before (exit 4)
└── CallFault                 one call failed; the run goes on
    ├── QuotaRefused          over a rate limit: free, and waits (never an attempt)
    ├── TransientFault        worth trying again, a bounded number of times
    │   ├── CallTimedOut      no reply in time: the endpoint may simply be slow
    │   └── ReplyUnreadable   a reply came, is probably paid for, and holds no whole answer: worth one or two more
    ├── ContentRefused        the service will not talk about this conversation: a reject
    ├── InputTooLong          longer than the model reads: a reject
    └── RequestInvalid        the service does not take this request as it is: a reject
"""

from typing import Literal

from tasks.domain.records import QuotaHeaders, Reply

_NOTHING = Reply("", 0, 0)

QuotaScope = Literal["requests", "tokens", "queries_per_second", "overload", "rate_increase"]


class KefuError(Exception):
    """Any error this project raises on purpose."""


class UsageError(KefuError):
    """Wrong use or configuration; nothing was started."""


def unread_reason(error: OSError | UnicodeDecodeError) -> str:
    """Return why a file of the user's can't be read, without the number and path that Python adds."""
    return "it is no UTF-8 text" if isinstance(error, UnicodeDecodeError) else error.strerror or str(error)


class RunError(KefuError):
    """The run can't go on; what was done is kept."""


class NoLogs(RunError):
    """The day has no log objects, or nothing in them."""


class NoTables(RunError):
    """The days have no tables."""


class DayBusy(RunError):
    """Another live run holds the day."""


class LeaseLost(RunError):
    """This run was taken for dead and another one holds the day now."""


class RunStopped(RunError):
    """The run was asked to stop and can be resumed."""


class CeilingReached(RunError):
    """The run has spent what it may: what was bought is kept, and the next run goes on."""


class TooManyRejects(RunError):
    """The tables are published, but too many conversations were rejected; `tally` is the run's."""

    def __init__(self, message: str, tally: object) -> None:
        super().__init__(message)
        self.tally = tally


class DayShrank(RunError):
    """A day was read that has lost most of what is published for it; nothing was changed."""


class DaysFailed(RunError):
    """Some days of a range failed; `outcomes` lists which and why."""

    def __init__(self, message: str, outcomes: list[dict[str, object]]) -> None:
        super().__init__(message)
        self.outcomes = outcomes


class AccountingError(RunError):
    """Summaries and rejects do not add up to the conversations read."""


class StoreError(RunError):
    """The object store or folder failed."""


class StoreUnavailable(StoreError):
    """Faults outlasted the retries."""


class StoreRefused(StoreError):
    """Credentials or permissions were refused."""


class BucketMissing(StoreError):
    """There is no such bucket or folder, or it lies in another region."""


class ObjectMissing(StoreError):
    """There is no such object."""


class TableDamaged(StoreError):
    """A table's file is no Parquet file, or is cut short."""


class PreconditionFailed(StoreError):
    """The object is not in the state that the write was conditional on."""


class StoreFull(StoreError):
    """No space is left, or the place is read-only."""


class PlatformError(RunError):
    """The model platform failed."""


class PlatformUnavailable(PlatformError):
    """No readable reply came, time after time; what was asked for may have been done."""


class PlatformBusy(PlatformError):
    """The platform runs as many jobs as it allows at once; later it takes more."""


class PlatformRefused(PlatformError):
    """The platform does not take the request, the key or the name."""


class ModelFailed(PlatformError):
    """Training, publishing or deploying failed on the platform."""


class NotPromoted(RunError):
    """The candidate is not good enough to take over; the serving endpoint is as it was."""


class EndpointUnusable(RunError):
    """No conversation can be summarized through this endpoint now."""


class CredentialsRefused(EndpointUnusable):
    """The key, token or permission was refused."""


class EndpointMissing(EndpointUnusable):
    """There is no such endpoint, model or address."""


class AllowanceUsedUp(EndpointUnusable):
    """The account's daily or total allowance is used up, or bills are unpaid."""


class CertificateUntrusted(EndpointUnusable):
    """The server's certificate is not one that this machine trusts."""


class EndpointDown(EndpointUnusable):
    """Faults outlasted every retry."""


class AnswersUseless(EndpointUnusable):
    """Too many answers hold no summary: the run stopped before it bought the rest. `tally` is the run's, if any."""

    def __init__(self, message: str, tally: object = None) -> None:
        super().__init__(message)
        self.tally = tally


class AnswersChanged(AnswersUseless):
    """The model answers golden conversations otherwise than on the nights before; nothing is published."""


class CallFault(KefuError):
    """One call failed; the run goes on."""


class QuotaRefused(CallFault):
    """Refused by a rate limit before any work was done.

    Args:
        message: the service's own.
        scope: which limit refused.
        retry_after_seconds: how long the service asks to wait, if it does.
        limits: the quota by the refusal's headers, if they give one.
    """

    def __init__(
        self,
        message: str,
        scope: QuotaScope,
        retry_after_seconds: float | None = None,
        limits: QuotaHeaders | None = None,
    ) -> None:
        super().__init__(message)
        self.scope: QuotaScope = scope
        self.retry_after_seconds = retry_after_seconds
        self.limits = limits


class TransientFault(CallFault):
    """Worth another try.

    Args:
        message: what happened.
        maybe_paid: the service may have done (and billed) the work: the reply broke on its way.
    """

    def __init__(self, message: str, maybe_paid: bool = False) -> None:
        super().__init__(message)
        self.maybe_paid = maybe_paid


class Unreachable(TransientFault):
    """No connection came about: the address, the network, or a server that is not there."""


class CallTimedOut(TransientFault):
    """No reply in time. Under load that is no sign of a bad conversation."""


class ReplyUnreadable(TransientFault):
    """A reply came that holds no whole answer.

    Args:
        message: what is wrong with it.
        reply: what it holds, kept so that a better reader finds it without another call.
        tries: calls that are worth it in all.
    """

    def __init__(self, message: str, reply: Reply = _NOTHING, tries: int = 2) -> None:
        super().__init__(message, maybe_paid=True)
        self.reply = reply
        self.tries = tries


class ContentRefused(CallFault):
    """The service refuses to talk about this conversation."""


class InputTooLong(CallFault):
    """The request is longer than the model reads."""


class RequestInvalid(CallFault):
    """The service does not take this request as it is."""
