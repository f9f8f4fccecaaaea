"""The help page: complete, with links that lead somewhere, and true."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from llm_admin.choices import Role
from llm_admin.permissions import ROLE_PERMISSIONS

HELP = reverse("admin:llm_admin_help")


@pytest.fixture
def html(login, member):
    response = login(member(Role.VIEWER)).get(HELP)
    assert response.status_code == 200
    return response.content.decode()


def test_every_link_of_the_contents_has_its_section(html):
    anchors = re.findall(r'href="#([a-z]+)"', html)
    assert len(anchors) == len(set(anchors)) >= 10
    for anchor in anchors:
        assert html.count(f'id="{anchor}"') == 1
        assert html.count(f'id="{anchor}-title"') == 1


def test_what_authors_ask_is_answered(html):
    words = (
        "{{customer}}",
        "Without the cache",
        "How was this computed?",
        "Tried before",
        "calls a minute",
        "Save draft",
        "Save and publish",
        "Live",
        "Stop",
        "token",
        "Unknown",
        "Ctrl",
        "Import",
    )
    for word in words:
        assert word in html, word


def test_the_links_lead_somewhere(html, client, login, member):
    main = html.split('class="llm-help"')[1]
    addresses = set(re.findall(r'href="(/admin/[^"#]*)"', main))
    assert len(addresses) >= 5
    author = login(member(Role.AUTHOR))
    for address in addresses:
        assert author.get(address).status_code == 200, address


def test_the_roles_are_as_it_says(html):
    """Who changes the table of permissions changes the words, too."""
    assert "also write, try, run, publish, import and export" in html
    author, operator = ROLE_PERMISSIONS[Role.AUTHOR], ROLE_PERMISSIONS[Role.OPERATOR]
    assert {"change_prompt", "run_prompt", "publish_prompt", "import_prompt", "export_prompt"} <= author
    words = "models, prices, connections and their keys, set budgets and allow more, make monitors, see Health, and see"
    assert words in re.sub(r"</?em>", "", html)
    wanted = {"change_languagemodel", "change_connection", "add_deploymentprice", "add_budget", "override_budget"}
    assert wanted | {"view_health", "view_all_runs"} <= operator - author
    admins = (
        "also manage members, the workspace settings, how long texts and calls are kept, and how many calls a person"
    )
    assert admins in html
    assert "add_interactionfeedback" in ROLE_PERMISSIONS[Role.VIEWER] and "say what they think of the answers" in html
    assert ROLE_PERMISSIONS[Role.ADMIN] - operator >= {"change_membership", "change_workspace"}


@pytest.mark.parametrize("role", Role.values)
def test_each_role_reads_about_what_it_may_do(login, member, role):
    browser = login(member(role))
    main = browser.get(HELP).content.decode().split('class="llm-help"')[1]
    operates, administers = role in (Role.OPERATOR, Role.ADMIN), role == Role.ADMIN
    assert "refused by a budget" in main
    for words in ("You set <a", "Allow more in this period", "Price past calls again", "Replace the key…"):
        assert (words in main) is operates, words
    assert ("workspace settings</a>, for one person" in main) is administers
    assert ("Admins limit the calls a minute." in main) is (operates and not administers)
    for address in set(re.findall(r'href="(/admin/[^"#]*)"', main)):
        assert browser.get(address, follow=True).status_code == 200, address


def test_people_without_a_workspace_can_read_it_too(login, outsider, workspace):
    assert login(outsider).get(HELP).status_code == 200
