"""Addresses of the pages about versions and labels, of any family of documents."""

from __future__ import annotations

from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from llm_admin.models import LIVE
from llm_admin.services import catalogue, documents
from llm_admin.services.families import family_of
from llm_admin.tenancy import workspace_scope


def address(document, name, **query):
    noun = family_of(document).noun
    return reverse(f"admin:llm_admin_{noun}_{name}", args=[document.pk], query=query or None)


def html(response, status=200):
    assert response.status_code == status, response.content[:500]
    return response.content.decode()


def at(document, label=LIVE):
    """The number of the version that has the label; None: nowhere."""
    with workspace_scope(document.workspace):
        row = document.labels.filter(name=label).select_related("version").first()
        return row.version.number if row else None


def newest(document):
    with workspace_scope(document.workspace):
        return documents.newest(type(document).objects.get(pk=document.pk))


def said(response):
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def queries(client, url):
    catalogue.forget()
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)
