"""`manage.py run_prompt` and `run_workflow`: the answer to stdout, numbers to stderr, one sentence on failure."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command

from llm_admin.models import Deployment, Run
from llm_admin.schemas.workflows import WorkflowSpec
from llm_admin.services import actors, prompts
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def prompt(scope):
    return factories.prompt(scope, versions=2)


def test_the_answer_streams_to_stdout_and_the_numbers_go_to_stderr(prompt, capsys):
    call_command("run_prompt", prompt.slug, "--var", "topic=the rain")
    out, err = capsys.readouterr()
    assert out.strip() == Run.objects.get().output
    assert "the rain" in out
    assert "tokens in" in err
    assert str(Run.objects.get().pk) in err


def test_a_version_can_be_chosen(prompt, capsys):
    call_command("run_prompt", prompt.slug, "--var", "topic=x", "--version", "2", "--json")
    assert json.loads(capsys.readouterr().out)["status"] == "succeeded"
    assert Run.objects.get().prompt_version.number == 2


@pytest.mark.parametrize(("more", "cache"), [([], True), (["--no-cache"], False)])
def test_it_can_run_without_the_cache(prompt, capsys, more, cache):
    call_command("run_prompt", prompt.slug, "--var", "topic=x", *more)
    assert Run.objects.get().spec["cache"] is cache


def test_a_label_can_be_chosen(prompt, capsys):
    from llm_admin.services import documents

    documents.move_label(prompt, actor=actors.system(prompt.workspace), label="staging", number=2)
    call_command("run_prompt", prompt.slug, "--var", "topic=x", "--label", "staging")
    assert Run.objects.get().prompt_version.number == 2


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nothing"], "There is no prompt “nothing”"),
        (["SLUG", "--version", "9"], "has no version 9"),
        (["SLUG", "--label", "nope"], "labelled “nope”"),
        (["SLUG", "--var", "topic"], "name=value"),
        (["SLUG", "--var", "tropic=x"], "no variable “tropic”"),
        (["SLUG"], "is needed"),
        (["SLUG", "--var", "topic=x", "--model", "none"], "no model “none”"),
        (["SLUG", "--workspace", "nope"], "no workspace “nope”"),
    ],
)
def test_what_cannot_run_is_told_in_one_sentence_and_leaves_no_run(prompt, arguments, sentence):
    with pytest.raises(CommandError, match=sentence):
        call_command("run_prompt", *[prompt.slug if a == "SLUG" else a for a in arguments])
    assert not Run.objects.exists()


def test_a_failed_run_is_stored_and_the_command_fails_with_its_sentence(prompt):
    deployment = Deployment.objects.get()
    deployment.provider_model = "demo:429"
    deployment.save()
    with pytest.raises(CommandError) as failure:
        call_command("run_prompt", prompt.slug, "--var", "topic=x")
    assert Run.objects.get().error_message == str(failure.value)


def test_a_workflows_outcome_is_printed(scope, capsys):
    workflow = factories.workflow(scope)
    call_command("run_workflow", workflow.slug, "--input", "topic=rain")
    assert json.dumps(Run.objects.get().output, ensure_ascii=False, indent=2) in capsys.readouterr().out


def test_code_and_command_use_what_is_live(prompt, capsys):
    prompts.save_version(prompt, actor=actors.system(prompt.workspace), spec=factories.chat_spec("Third {{topic}}."))
    call_command("run_prompt", prompt.slug, "--var", "topic=x", "--json")
    assert Run.objects.get().prompt_version.number == 1


def test_a_workflow_that_waits_for_somebody_says_so(scope, capsys):
    steps = [{"type": "template", "id": "text", "text": "Draft"}, {"type": "approval", "id": "ok"}]
    workflow = factories.workflow(scope, spec=WorkflowSpec.model_validate({"steps": steps}))
    call_command("run_workflow", workflow.slug)
    out, err = capsys.readouterr()
    assert "waits for an approval" in err
    assert "null" not in out
