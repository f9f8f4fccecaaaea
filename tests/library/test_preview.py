"""What a person sees before anything is saved."""

from __future__ import annotations

import random

import pytest

from llm_admin.services import library
from llm_admin.services.library.diff import Piece, compare
from llm_admin.services.library.outline import outline
from tests.library.files import csv_file, entry, library_file


def test_what_needs_looking_at_comes_first(load, plan):
    load(("Old", "old"), ("Same", "same"))
    shown = library.sections(plan(csv_file(("Same", "same"), ("New", "n"), ("New", "m"), ("Old", "newer"))))
    assert [(section.title, [row.item.name for row in section.rows]) for section in shown] == [
        ("New versions", ["Old"]),
        ("New, under another name", ["New (2)"]),
        ("New", ["New"]),
        ("Unchanged", ["Same"]),
    ]


def test_a_new_version_shows_the_difference_and_its_number(load, plan):
    load(("A", "Write a poem about rain."))
    [section] = library.sections(plan(csv_file(("A", "Write a short poem about snow."))))
    [row] = section.rows
    assert row.becomes == "v2"
    assert "".join(piece.text for piece in row.pieces if piece.kind != "added") == "Write a poem about rain."
    assert "".join(piece.text for piece in row.pieces if piece.kind != "removed") == "Write a short poem about snow."
    assert Piece("removed", "rain") in row.pieces and Piece("added", "snow") in row.pieces


def test_several_new_versions_say_so(load, plan):
    load(library_file(entry("A", "one")))
    [section] = library.sections(plan(library_file(entry("A", "one", "two", "three"))))
    assert section.rows[0].becomes == "v2 to v3"


def test_a_new_one_shows_its_versions_labels_and_place(plan):
    data = library_file(entry("A", "one", "two", labels={"production": 1, "next": 2}), entry("a", "three"))
    renamed, new = library.sections(plan(data))
    assert (new.rows[0].becomes, new.rows[0].labels, new.rows[0].where) == ("v1 to v2", ["Live: v1", "next: v2"], "")
    assert (renamed.rows[0].becomes, renamed.rows[0].where) == ("v1", "Prompt “a”")


def test_long_lists_are_cut_and_say_so(plan):
    [section] = library.sections(plan(csv_file(*((f"P{n}", "x" * 5_000) for n in range(600)))))
    assert (len(section.rows), section.more) == (500, 100)
    assert (len(section.rows[0].text), section.rows[0].cut) == (4_000, 1_000)


def test_equal_parts_of_a_long_text_are_shortened():
    pieces = compare("start " + "same " * 200 + "end", "start " + "same " * 200 + "END")
    assert [piece.kind for piece in pieces] == ["same", "removed", "added"]
    assert len(pieces[0].text) < 200


@pytest.mark.timeout(60)
@pytest.mark.parametrize("words", [700, 5_000, 400_000])
def test_longer_texts_are_compared_in_larger_pieces(words):
    """Word by word takes the square of their number."""
    chance = random.Random(1)
    before, after = (" ".join(str(chance.randrange(1_000)) for _ in range(words)) for _ in range(2))
    pieces = compare(before, after)
    if words == 700:
        assert len(pieces) > 2
    else:
        assert [(piece.kind, piece.text) for piece in pieces] == [("removed", before), ("added", after)]


def test_too_long_to_compare():
    assert compare("a b\n" * 200_000, "b a\n" * 200_000) is None


def test_an_outline_has_no_json(system, scope):
    from llm_admin.models import PromptVersion, WorkflowVersion

    library.import_demo(system)
    texts = [outline(version.spec) for model in (PromptVersion, WorkflowVersion) for version in model.objects.all()]
    assert not any("{'" in text or '{"' in text for text in texts)
    reply = next(text for text in texts if "draft replies for a customer support team" in text)
    assert "System\nYou draft replies" in reply
    assert "agent_name: Signed by; usually “Sam”" in reply
    assert "Settings\nTemperature: 0.4" in reply
    assert any("1. Summarise (llm, result “answer”)\nPrompt: ticket-summary" in text for text in texts)
