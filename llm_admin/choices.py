"""Every status, kind and role that is stored: one class each, so that no string is spelled twice."""

from django.db.models import TextChoices


class Role(TextChoices):
    VIEWER = "viewer", "Viewer: reads"
    AUTHOR = "author", "Author: edits, tries, runs, publishes"
    OPERATOR = "operator", "Operator: also models, connections and everyone's logs"
    ADMIN = "admin", "Admin: also members and settings"


class RunKind(TextChoices):
    PROMPT = "prompt", "Prompt"
    WORKFLOW = "workflow", "Workflow"


class RunStatus(TextChoices):
    PENDING = "pending", "Waiting to start"
    RUNNING = "running", "Running"
    WAITING = "waiting", "Waiting for approval"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Stopped"
    INTERRUPTED = "interrupted", "Interrupted"


RUN_OPEN = (RunStatus.PENDING, RunStatus.RUNNING)
RUN_UNFINISHED = (*RUN_OPEN, RunStatus.WAITING)


class RunSource(TextChoices):
    STUDIO = "studio", "Studio"
    ADMIN = "admin", "Admin list"
    CODE = "code", "Python code"
    COMMAND = "command", "Command line"
    BATCH = "batch", "Batch"


class StepStatus(TextChoices):
    RUNNING = "running", "Running"
    WAITING = "waiting", "Waiting"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Stopped"
    INTERRUPTED = "interrupted", "Interrupted"


class CallStatus(TextChoices):
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Stopped"
    INTERRUPTED = "interrupted", "Interrupted"


class CallKind(TextChoices):
    CHAT = "chat", "Chat"
    EMBEDDING = "embedding", "Embedding"


class ErrorKind(TextChoices):
    AUTHENTICATION = "authentication", "Key refused"
    RATE_LIMIT = "rate_limit", "Too many requests"
    TIMEOUT = "timeout", "Took too long"
    CONTEXT_TOO_LONG = "context_too_long", "Text too long"
    CONTENT_FILTER = "content_filter", "Content filter"
    BAD_REQUEST = "bad_request", "Request refused"
    PROVIDER_DOWN = "provider_down", "Provider not reachable"
    PARSE_ERROR = "parse_error", "Answer not in the expected form"
    DECLINED = "declined", "Declined"
    BUDGET = "budget", "Refused by a budget"
    USER_LIMIT = "user_limit", "Too many calls by one person"
    FUNCTION = "function", "Function failed"
    INTERRUPTED = "interrupted", "Interrupted"
    CANCELLED = "cancelled", "Stopped"
    INTERNAL = "internal", "Internal error"


class StoreTexts(TextChoices):
    MASKED = "masked", "Keep texts, with keys and tokens masked"
    NOTHING = "nothing", "Keep numbers only, no texts"


class ApprovalStatus(TextChoices):
    PENDING = "pending", "Waiting"
    APPROVED = "approved", "Approved"
    DECLINED = "declined", "Declined"
    WITHDRAWN = "withdrawn", "Withdrawn: the run was stopped"


class BatchKind(TextChoices):
    FILE = "file", "Rows of a file"
    OBJECTS = "objects", "Rows of a table"


class BatchStatus(TextChoices):
    RUNNING = "running", "Running"
    PAUSED = "paused", "Paused"
    STOPPED = "stopped", "Stopped"
    FINISHED = "finished", "Finished"


class RowStatus(TextChoices):
    PENDING = "pending", "Waiting to start"
    RUNNING = "running", "Running"
    WAITING = "waiting", "Waiting for approval"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"
    STOPPED = "stopped", "Stopped"


ROW_OPEN = (RowStatus.PENDING, RowStatus.RUNNING, RowStatus.WAITING)


class PriceSource(TextChoices):
    OWN = "own", "Entered here"
    PUBLISHED = "published", "Published by the provider"


class RepricingStatus(TextChoices):
    RUNNING = "running", "Running"
    FINISHED = "finished", "Finished"


class CacheAnswers(TextChoices):
    NEVER = "never", "Never"
    DETERMINISTIC = "deterministic", "When the settings make the answer the same each time (temperature 0)"
    ALWAYS = "always", "Always: the same question gets the same answer"


class BudgetScope(TextChoices):
    WORKSPACE = "workspace", "The whole workspace"
    USER = "user", "One person"
    GROUP = "group", "A group of people, together"
    PROMPT = "prompt", "One prompt"
    WORKFLOW = "workflow", "One workflow"


class BudgetPeriod(TextChoices):
    DAY = "day", "A day"
    WEEK = "week", "A week, from Monday"
    MONTH = "month", "A calendar month"


class BudgetUnit(TextChoices):
    MONEY = "money", "Money"
    TOKENS = "tokens", "Tokens"
    CALLS = "calls", "Calls"
