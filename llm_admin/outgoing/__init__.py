"""The one guard that every request to other servers passes: docs/adr/0010-outgoing-guard.md says why and how."""

from __future__ import annotations

from llm_admin.outgoing.addresses import OutgoingRefused, problem_of, public
from llm_admin.outgoing.transport import guarded_async_client, guarded_transport

__all__ = ["OutgoingRefused", "guarded_async_client", "guarded_transport", "problem_of", "public"]
