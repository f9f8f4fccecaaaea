"""Every status, kind and role that is stored: one class each, so that no string is spelled twice."""

from django.db.models import IntegerChoices, TextChoices


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


class MonitorState(TextChoices):
    UNKNOWN = "unknown", "Not looked at yet"
    OK = "ok", "Fine"
    WARN = "warn", "Warning"
    ALARM = "alarm", "Alarm"
    NO_DATA = "no_data", "No data"


MONITOR_FIRING = (MonitorState.WARN, MonitorState.ALARM, MonitorState.NO_DATA)


class MonitorWindow(IntegerChoices):
    """In minutes."""

    QUARTER = 15, "15 minutes"
    HALF = 30, "30 minutes"
    HOUR = 60, "1 hour"
    HOURS_3 = 180, "3 hours"
    HOURS_6 = 360, "6 hours"
    HOURS_12 = 720, "12 hours"
    DAY = 1440, "24 hours"
    DAYS_3 = 4320, "3 days"
    WEEK = 10080, "7 days"
    MONTH = 43200, "30 days"


class MonitorDirection(TextChoices):
    ABOVE = "above", "Above"
    BELOW = "below", "Below"


class NoData(TextChoices):
    KEEP = "keep", "Stay as it is"
    OK = "ok", "Count as fine"
    ALARM = "alarm", "Tell people: no data"


class WebhookKind(TextChoices):
    JSON = "json", "JSON, for a program of yours"
    SLACK = "slack", "A text, for Slack and what speaks like it"


class MonitorEventKind(TextChoices):
    CHANGED = "changed", "Changed"
    TOLD = "told", "Told"
    REMINDED = "reminded", "Reminded"
    MUTED = "muted", "Muted"
    UNMUTED = "unmuted", "Unmuted"
    EDITED = "edited", "Settings changed"


class DeliveryChannel(TextChoices):
    MAIL = "mail", "Mail"
    WEBHOOK = "webhook", "Webhook"


class DeliveryStatus(TextChoices):
    PENDING = "pending", "To be sent"
    SENT = "sent", "Sent"
    GIVEN_UP = "given_up", "Given up"


class FeedbackValue(TextChoices):
    UP = "up", "Good"
    DOWN = "down", "Bad"


class PruneStarter(TextChoices):
    TICKER = "ticker", "By itself"
    PERSON = "person", "From the settings"
    COMMAND = "command", "From the command line"


class PruneStatus(TextChoices):
    RUNNING = "running", "Running"
    FINISHED = "finished", "Finished"
    INTERRUPTED = "interrupted", "Interrupted"
