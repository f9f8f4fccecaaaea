from llm_admin.models.approval import Approval
from llm_admin.models.batch import Batch, BatchRow, RowChange, RowMapping
from llm_admin.models.budget import Budget, BudgetOverride, BudgetReservation, BudgetUse
from llm_admin.models.connection import Connection
from llm_admin.models.feedback import InteractionFeedback
from llm_admin.models.interaction import InteractionLog, InteractionText
from llm_admin.models.language_model import Deployment, DeploymentPrice, LanguageModel
from llm_admin.models.lease import Lease
from llm_admin.models.log_index import LogIndexMark, LogMinutes
from llm_admin.models.log_view import LogReader, LogView
from llm_admin.models.monitor import Monitor, MonitorDelivery, MonitorEvent
from llm_admin.models.names import name_key
from llm_admin.models.prompt import Prompt, PromptAlias, PromptLabel, PromptLabelEvent, PromptVersion
from llm_admin.models.prompt_studio import PromptDraft, PromptTest, PromptText
from llm_admin.models.repricing import Repricing
from llm_admin.models.retention import PruneRecord
from llm_admin.models.rollup import BlockLevel, UsageBlock, UsageSlot, UsageZone
from llm_admin.models.run import Run, RunCheckpoint, RunError, RunStep
from llm_admin.models.tag import Tag
from llm_admin.models.versioned import LIVE, label_title
from llm_admin.models.workflow import Workflow, WorkflowAlias, WorkflowLabel, WorkflowLabelEvent, WorkflowVersion
from llm_admin.models.workspace import DEFAULT_WORKSPACE_SLUG, Membership, Workspace

__all__ = [
    "DEFAULT_WORKSPACE_SLUG",
    "LIVE",
    "Approval",
    "Batch",
    "BatchRow",
    "BlockLevel",
    "Budget",
    "BudgetOverride",
    "BudgetReservation",
    "BudgetUse",
    "Connection",
    "Deployment",
    "DeploymentPrice",
    "InteractionFeedback",
    "InteractionLog",
    "InteractionText",
    "LanguageModel",
    "Lease",
    "LogIndexMark",
    "LogMinutes",
    "LogReader",
    "LogView",
    "Membership",
    "Monitor",
    "MonitorDelivery",
    "MonitorEvent",
    "Prompt",
    "PromptAlias",
    "PromptDraft",
    "PromptLabel",
    "PromptLabelEvent",
    "PromptTest",
    "PromptText",
    "PromptVersion",
    "PruneRecord",
    "Repricing",
    "RowChange",
    "RowMapping",
    "Run",
    "RunCheckpoint",
    "RunError",
    "RunStep",
    "Tag",
    "UsageBlock",
    "UsageSlot",
    "UsageZone",
    "Workflow",
    "WorkflowAlias",
    "WorkflowLabel",
    "WorkflowLabelEvent",
    "WorkflowVersion",
    "Workspace",
    "label_title",
    "name_key",
]
