from __future__ import annotations

import pytest

from llm_admin.exceptions import InvalidInput
from llm_admin.models import Connection
from llm_admin.services import prompts
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("key", ["sk-proj-abcdefghijklmnopqrstuvwxyz0123456789", "a-configured-key-of-no-known-form"])
def test_a_prompt_with_a_key_in_it_is_refused_at_its_place_and_not_saved(scope, system, key):
    Connection.objects.create(
        workspace=scope, name="Own", provider="openai", api_key="a-configured-key-of-no-known-form"
    )
    prompt = factories.prompt(scope)
    with pytest.raises(InvalidInput) as refusal:
        prompts.save_version(prompt, actor=system, spec=factories.chat_spec(f"Use {key} for {{{{topic}}}}."))
    assert refusal.value.problems[0].location == ("messages", 1, "text")
    assert key not in str(refusal.value)
    prompt.refresh_from_db()
    assert prompt.last_number == 1


def test_a_prompt_that_speaks_of_passwords_is_saved(scope, system):
    prompt = factories.prompt(scope)
    prompts.save_version(prompt, actor=system, spec=factories.chat_spec("Explain why password: Winter2024! is weak."))
    prompt.refresh_from_db()
    assert prompt.last_number == 2
