"""Names are the key of an import, and importing a file again changes nothing."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_admin.models import Prompt
from llm_admin.schemas.prompts import text_spec
from llm_admin.services import library, prompts
from tests import factories
from tests.library.files import csv_file


def test_the_same_name_and_text_is_unchanged(load, shelf):
    assert load(("A", "a"), ("B", "b")) == (2, 0, 0)
    assert load(("A", "a"), ("B", "b"), ("C", "c")) == (1, 0, 2)
    assert shelf() == {"A": ["a*"], "B": ["b*"], "C": ["c*"]}


def test_another_text_is_a_new_version_and_live_does_not_move(load, shelf):
    load(("A", "a"))
    assert load(("A", "other")) == (0, 1, 0)
    assert shelf() == {"A": ["a*", "other"]}


def test_a_name_twice_becomes_name_2(load, plan, shelf):
    rows = (("Coach", "one"), ("Poet", "p"), ("Coach", "two"), ("coach ", "three"))
    counts = plan(csv_file(*rows)).counts
    assert (counts.new, counts.renamed) == (4, 2)
    load(*rows)
    assert shelf() == {"Coach": ["one*"], "Poet": ["p*"], "Coach (2)": ["two*"], "coach (3)": ["three*"]}
    assert load(*rows) == (0, 0, 4)


def test_the_preview_says_why(plan):
    items = plan(csv_file(("Coach", "one"), ("COACH", "two"), ("Coach", "three"))).items
    assert [item.notices for item in items] == [
        [],
        ["Becomes “COACH (2)”: Row 2 has the name “Coach” (capitals do not count) and says something else."],
        ["Becomes “Coach (3)”: Row 2 has the same name and says something else."],
    ]


def test_the_order_of_the_file_does_not_matter_the_second_time(load, shelf):
    load(("A", "one"), ("A", "two"))
    assert load(("A", "two"), ("A", "one")) == (0, 0, 2)


def test_the_same_name_and_text_twice_in_a_file_is_one(load, plan, shelf):
    rows = (("A", "one"), ("a", "one"))
    assert plan(csv_file(*rows)).items[1].notices == ["The same as Row 2 of this file."]
    assert load(*rows) == (1, 0, 1)
    assert shelf() == {"A": ["one*"]}


def test_a_changed_row_changes_its_own_prompt(load, shelf):
    load(("A", "one"), ("A", "two"))
    load(("A", "one"), ("A", "two, improved"))
    assert shelf() == {"A": ["one*"], "A (2)": ["two*", "two, improved"]}


def test_what_was_edited_since_stays(load, shelf, system):
    load(("A", "a"))
    prompts.save_version(Prompt.objects.get(), actor=system, spec=text_spec("edited"), publish=True)
    assert load(("A", "a")) == (0, 0, 1)
    assert shelf() == {"A": ["a", "edited*"]}


def test_an_older_version_is_recognised(load, plan, system, scope):
    load(("A", "a"))
    prompts.save_version(Prompt.objects.get(), actor=system, spec=text_spec("edited"))
    assert plan(csv_file(("A", "a"))).items[0].notices == ["Here it is v1; the newest is v2."]


def test_somebodys_own_prompt_of_that_name_gets_the_first_text_as_a_draft(load, shelf, system, workspace):
    factories.prompt(workspace, name="A", spec=text_spec("mine"))
    load(("A", "one"), ("A", "two"))
    assert shelf() == {"A": ["mine*", "one"], "A (2)": ["two*"]}
    assert load(("A", "one"), ("A", "two")) == (0, 0, 2)


def test_a_name_that_is_spelled_with_a_number(load, shelf):
    rows = (("A", "one"), ("A", "two"), ("A (2)", "three"))
    load(*rows)
    assert shelf() == {"A": ["one*"], "A (3)": ["two*"], "A (2)": ["three*"]}
    assert load(*rows) == (0, 0, 3)


def test_a_deleted_number_leaves_no_trace(load, shelf):
    rows = (("A", "one"), ("A", "two"), ("A", "three"))
    load(*rows)
    Prompt.objects.get(name="A (2)").labels.all().delete()
    Prompt.objects.get(name="A (2)").delete()
    assert load(*rows) == (1, 0, 2)
    assert load(*rows) == (0, 0, 3)


@pytest.mark.parametrize("name", ["x" * 200, "ﬁ" * 200, "word " * 40])
def test_long_names_lose_their_end_for_the_number(load, name, scope):
    rows = ((name, "one"), (name, "two"))
    assert load(*rows) == (2, 0, 0)
    assert sorted(len(one.name) <= 200 for one in Prompt.objects.all()) == [True, True]
    assert load(*rows) == (0, 0, 2)


def test_a_name_too_long_for_its_key_is_a_problem(plan):
    [problem] = plan(csv_file(("ﷺ" * 100, "a"))).problems  # each becomes eighteen letters
    assert str(problem) == "Row 2: This name is too long."


NAMES = st.sampled_from(["A", "a", "A (2)", "a (3)", "A (2) (2)", "B"])
ROWS = st.lists(st.tuples(NAMES, st.sampled_from(["one", "two", "three", "four"])), min_size=1, max_size=9)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=ROWS, second=ROWS)
def test_again_changes_nothing_whatever_the_names(system, scope, first, second):
    Prompt.objects.all()
    for prompt in Prompt.objects.all():
        prompt.labels.all().delete()
        prompt.delete()
    for rows in (first, second):
        data = csv_file(*rows)
        library.apply(library.plan_file(data, actor=system), actor=system)
        again = library.plan_file(data, actor=system).counts
        assert (again.changes, again.unchanged) == (0, len(rows))
