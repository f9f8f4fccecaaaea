import pytest

from llm_admin.choices import ErrorKind
from llm_admin.runtime.errors import advice


@pytest.mark.parametrize("kind", list(ErrorKind))
@pytest.mark.parametrize(
    "given", [{}, {"model": "Fast", "connection": "Main"}, {"detail": "it said {no} 100%", "model": "Fast"}]
)
def test_every_kind_has_whole_sentences(kind, given):
    text = advice(kind, **given)
    assert text.endswith(".")
    assert text.count(". ") + text.count("; ") >= 1, "what happened, and what to do"
    assert "“”" not in text and "  " not in text and " ." not in text
    assert given.get("detail", "") in text


def test_a_refused_key_names_the_connection_and_who_can_help():
    text = advice(ErrorKind.AUTHENTICATION, "", connection="Main account")
    assert text == (
        "The provider refused the key of the connection “Main account”. "
        "Ask an operator to check the key on the connection's page."
    )


def test_the_provider_s_words_stand_in_brackets_without_a_second_full_stop():
    text = advice(ErrorKind.BAD_REQUEST, "Unknown parameter: 'wings'.", model="Fast", connection="Main")
    assert "the request for the model “Fast” (Unknown parameter: 'wings')." in text
    assert "the model of the connection “Main”" in text


def test_what_never_reached_a_provider_does_not_blame_one():
    text = advice(ErrorKind.BAD_REQUEST, "no model is chosen")
    assert text.startswith("This could not be run (no model is chosen).")
    assert "provider" not in text


@pytest.mark.parametrize("detail", ["You exceeded your current quota.", "Insufficient Balance", "Add credits"])
def test_an_empty_account_is_not_answered_with_wait_a_minute(detail):
    text = advice(ErrorKind.RATE_LIMIT, detail, connection="Main")
    assert "top up the account of the connection “Main”" in text
    assert "Wait" not in text
    assert "Wait a minute" in advice(ErrorKind.RATE_LIMIT, "Rate limit reached.", connection="Main")


def test_a_long_detail_is_cut():
    assert len(advice(ErrorKind.PROVIDER_DOWN, "x" * 5_000)) < 600


def test_a_stored_value_is_as_good_as_the_kind():
    assert advice("timeout") == advice(ErrorKind.TIMEOUT)
