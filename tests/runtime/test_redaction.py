import base64
import csv
import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_admin.runtime.redaction import MASK, Redactor, StreamRedactor, _candidates

SECRET = "geheim/+&wort mit leer"
KNOWN = ["planted-key-0815-xyz", "hunter2!x", SECRET]
HEX = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
B64 = "c2VjcmV0LWtleS1tYXRlcmlhbC10aGF0LWlzLWxvbmctZW5vdWdoLWZvci1h"
PEM = f"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n{B64}\n{B64}\n-----END RSA PRIVATE KEY-----"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
# Each in two halves, so that no scanner takes this file for a leak.
KEYS = [
    "sk-" + "abcdefghijklmnopqrst1234",
    "sk-" + "a" * 40,
    "sk-proj-" + "Ab1_" * 12,
    "sk-ant-api03-" + "Ab1-" * 12,
    "AIza" + "SyA1234567890abcdefghijklmnopqrstuv",
    "ya29." + "a0AfH6SMBx1234567890abcdef",
    "hf_" + "AbCdEfGhIjKlMnOpQrStUvWxYzAbCdEfGh",
    "ghp_" + "a1b2c3d4e5f6a1b2c3d4e5f6a1b2c3d4e5f6",
    "github_pat_" + "11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz",
    "glpat-" + "abcdefgh12345678ijkl",
    "AKIA" + "IOSFODNN7EXAMPLE",
    "xoxb-" + "123456789012-abcdefABCDEF",
    "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc",
    "SG." + "abcdefghijklmnop12.abcdefghijklmnopqrstuvwx34",
    "npm_" + "abcdefghijklmnopqrstuvwxyz0123456789",
    "gsk_" + "abcdefghijklmnop1234567890",
    JWT,
    PEM,
]
ASSIGNED = [
    ('api_key = "{}"', "abcdefgh1234"),
    ("OPENAI_API_KEY={}", "abcdefgh1234"),
    ('"apiKey": "{}",', "abcdefgh1234"),
    ('{{\\"api_key\\": \\"{}\\"}}', "abcdefgh1234"),
    ("API key: {}.", "abcdefgh1234"),
    ("aws_secret_access_key = {}", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    ("password: {}\n", "Winter2024!"),
    ("token => '{}'", "tok1234567890"),
    ("client-secret: {}", "abc-123-def-456"),
    ("Authorization: Bearer {}", "abcdefghijklmnopqrst"),
    ("authorization: Basic {}", "dXNlcjpwYXNz"),
    ("curl -H 'bearer {}' x", "mF_9.B5f-4.1JqM0123"),
    ("postgres://app:{}@db.example.com/app", "s3cr3t"),
]
HARMLESS = [
    "The keys to success: patience, and a token of appreciation.",
    "Password: at least 8 characters. Token: a word or a part of one. Secret: 1 of 3.",
    "My task-force met the risk-averse desk-bound clerk; the mask-wearing sk-ating team won.",
    "class='sk-circle-fade-dot sk-folding-cube-animation-delay'",
    f"sha256 {HEX}, sha1 {HEX[:40]}, md5 d41d8cd98f00b204e9800998ecf8427e",
    "id 123e4567-e89b-12d3-a456-426614174000, key 0190a5d5-1c7e-7b6a-9c1f-0e6a2f7b8c9d",
    '{"max_tokens": 1000, "token_count": 12345678, "total_tokens": 99, "keyboard": "qwerty12345"}',
    'api_key = os.environ["OPENAI_API_KEY"]',
    "api_key = load_key_v2(path); token = decode_base64_text(text)",
    "Token: 123456789012, password: 0000-0000-0000",
    "password = getpass.getpass(prompt1)",
    "api_key: {{api_key}} and <your-api-key> and ${API_KEY_1} and YOUR_API_KEY",
    "def authorize(token: str, password: Optional[str] = None) -> bool:",
    "https://example.com:8080/path?page=2 and mailto:someone@example.com and git@github.com:acme/repo.git",
    "The bearer of this letter; Bearer authentication-mechanisms; bearer internationalization.",
    "Paste the part between -----BEGIN PRIVATE KEY----- and the end.\n-----\n---\n| - | ----- |",
    "secret: https://example.com/docs2/index.html",
    f"data:image/png;base64,{B64}",
    "AKIA is a prefix; AIza too; eyJ begins JSON in base64; hf_hub_download(repo_id='x')",
]


@pytest.fixture(scope="module")
def redactor():
    return Redactor(KNOWN)


def prompts() -> list[str]:
    with (Path(__file__).parents[2] / "fixtures" / "prompts-2025.csv").open(newline="") as file:
        return [row["prompt"] for row in csv.DictReader(file)]


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key[:12])
def test_keys_are_masked_by_pattern(key):
    assert Redactor().text(f"Use {key}, please.") == f"Use {MASK}, please."
    assert Redactor().text(f"x='{key}'") == f"x='{MASK}'"


@pytest.mark.parametrize(("text", "value"), ASSIGNED)
def test_what_is_called_a_key_is_masked_and_its_name_stays(text, value):
    masked = Redactor().text(text.format(value))
    assert value not in masked
    assert masked == text.format(MASK) or masked == text.format(MASK).replace(f"{MASK}.", MASK)


@pytest.mark.parametrize("text", HARMLESS, ids=lambda text: text[:30])
def test_ordinary_text_stays_as_it_is(redactor, text):
    assert redactor.text(text) == text
    assert redactor.find(text) is None


def test_the_real_prompts_hold_nothing(redactor):
    found = prompts()
    assert len(found) == 197
    assert [text for text in found if redactor.text(text) != text or redactor.find(text)] == []


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        quote(SECRET, safe=""),
        quote(SECRET, safe="").replace("%20", "+"),
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(f"u:{SECRET}".encode()).decode(),
        base64.b64encode(f"me:{SECRET}".encode()).decode(),
        base64.urlsafe_b64encode(f"you:{SECRET}!".encode()).decode(),
    ],
)
def test_known_values_are_masked_however_they_are_written(redactor, written):
    masked = redactor.text(f"x{written}y")
    assert MASK in masked
    # Of base64, the letters at the edges also belong to the neighbours.
    assert len(masked.replace(MASK, "")) <= 2 + 8
    assert redactor.find(written) == "a key that is configured here"


def test_a_value_with_quotes_is_found_in_json():
    value = 'pa"ss\\wörd\n'
    redactor = Redactor([value])
    assert "ss" not in redactor.text(json.dumps({"a": value.strip()}))
    assert "ss" not in redactor.text(json.dumps({"a": value.strip()}, ensure_ascii=False))


def test_the_web_s_own_base64_is_known_too():
    value = "~~~>>>???0815"
    written = base64.urlsafe_b64encode(value.encode()).decode().rstrip("=")
    assert "-" in written and "_" in written
    assert MASK in Redactor([value]).text(written)


def test_short_values_are_not_secrets():
    assert Redactor(["", "demo", " abcde "]).text("a demo abcde") == "a demo abcde"
    assert Redactor(["abcdef"]).text("an abcdef.") == f"an {MASK}."


def test_of_two_secrets_the_longer_goes_whole():
    assert Redactor(["abcdef", "abcdefghij"]).text("abcdefghij") == MASK


def test_values_of_any_shape(redactor):
    value = {"a": ["hunter2!x", 1, None, ("see hunter2!x",)], "hunter2!x": {"b": True}, "n": 1.5}
    assert redactor.value(value) == {"a": [MASK, 1, None, (f"see {MASK}",)], MASK: {"b": True}, "n": 1.5}


def test_an_untouched_text_is_the_same_object(redactor):
    text = "Nothing in here. " * 100
    assert redactor.text(text) is text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sk-" + "abcdefghijklmnopqrst1234", "sk-"),
        (JWT, "JWT"),
        (PEM, "private key"),
        ("password: Winter2024!", "password"),
    ],
)
def test_a_finding_is_described_without_repeating_it(redactor, text, words):
    found = redactor.find(f"before {text} after")
    assert words in found
    assert text not in found


def test_letters_that_change_length_in_small_letters_do_not_move_the_mask():
    assert Redactor().text("İİİ password: Winter2024! İ") == f"İİİ password: {MASK} İ"


def test_importing_it_imports_neither_langchain_nor_django():
    code = (
        "import sys, llm_admin.runtime.redaction as r; print([m for m in sys.modules if m[:6] in ('langch','django')])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


# Every text of 200 kB, also the most awkward, is read a few times and not once for each of its letters: that would take
# longer than any test may.

AWKWARD = [
    *("sk-", "sk-1", "sk-aaaaaaaaaaaaaaaaaa ", "token=", "token=a1", "token=a1(", "eyJaaaaaaaa.", "-eyJ", "eyJ", "://"),
    *("://a:b", "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\n" + "A" * 100, "-", "bearer ", "AKIA"),
    *("authorization: bearer ", "hf_a", "github_pat_", "password: ", "password" + " " * 30, 'password"', "password\\"),
    *("api key", "SG.", "a1", "password = a.", "://" + "a" * 59, "api_key=https://", "\\", '"'),
]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("unit", AWKWARD)
def test_awkward_texts_do_not_hang(redactor, unit):
    text = (unit * (200_000 // len(unit) + 1))[:200_000]
    masks = StreamRedactor(redactor)
    assert masks.feed(text) + masks.flush() == redactor.text(text)


def test_a_long_text_without_secrets_is_searched_with_no_rule(redactor):
    text = ("The quick brown fox jumps over the lazy dog, and so on; 1234 times. " * 3_000)[:200_000]
    assert list(_candidates(text)) == []


class Counting(Redactor):
    read = 0

    def spans(self, text):
        self.read += len(text)
        return super().spans(text)

    def suspects(self, text, start):
        self.read += len(text) - start
        return super().suspects(text, start)


def test_a_key_like_text_without_an_end_is_not_read_anew_with_every_piece():
    redactor = Counting(KNOWN)
    masks = StreamRedactor(redactor)
    for _ in range(20_000):
        masks.feed("eyJhb")
    masks.flush()
    assert redactor.read < 3 * 100_000


# Streams


def streamed(redactor, chunks) -> list[str]:
    masks = StreamRedactor(redactor)
    return [*(masks.feed(chunk) for chunk in chunks), masks.flush()]


def pieces(text: str, size: int) -> list[str]:
    return [text[place : place + size] for place in range(0, len(text), size)]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50, 1000])
def test_a_stream_says_what_the_text_says(redactor, size):
    texts = [f"Use {key} here, said {SECRET}." for key in KEYS]
    texts += [text.format(value) + " and so on" for text, value in ASSIGNED] + HARMLESS
    for text in texts:
        assert "".join(streamed(redactor, pieces(text, size))) == redactor.text(text)


@pytest.mark.parametrize("secret", [*KEYS, *KNOWN], ids=lambda secret: secret[:12])
@pytest.mark.parametrize("size", [1, 4, 9])
def test_no_part_of_a_split_key_gets_out(redactor, secret, size):
    out = streamed(redactor, pieces(f"It is {secret} indeed.", size))
    assert "".join(out) == f"It is {MASK} indeed."


def test_a_known_secret_inside_a_word_lets_out_three_letters_at_most():
    out = "".join(streamed(Redactor(["planted-key-0815-xyz"]), "xplanted-key-0815-xyz."))
    assert out == f"xpla{MASK}."


def test_what_begins_inside_a_value_does_not_tear_it(redactor):
    """The dashes could begin a private key, which would be let wait alone."""
    chunks = ["api_key = " + "a1" * 60, "-----BEGIN", " ", "x"]
    assert "".join(streamed(redactor, chunks)) == f"api_key = {MASK} x"


def test_what_looked_like_a_key_comes_out_when_it_is_none(redactor):
    assert streamed(redactor, ["a ", "sk-", "ate", " board"]) == ["a ", "", "", "sk-ate board", ""]
    assert streamed(redactor, ["hunter", "2", " is"]) == ["", "", "hunter2 is", ""]
    assert streamed(redactor, ["the end: sk-", "x"])[-1] == "sk-x"


def test_ordinary_words_are_not_delayed(redactor):
    words = " ".join(prompts()).split(" ")[:5_000]
    chunks = [f"{word} " for word in words]
    out = streamed(redactor, chunks)
    assert [(chunk, piece) for chunk, piece in zip(chunks, out, strict=False) if chunk != piece] == []
    chunks = [f" {word}" for word in words]
    out = streamed(redactor, chunks)
    late = sum(chunk != piece for chunk, piece in zip(chunks, out, strict=False))
    assert late / len(chunks) < 0.12
    assert "".join(out) == "".join(chunks)


PARTS = [
    *KEYS,
    *(text.format(value) for text, value in ASSIGNED),
    *("sk-", "eyJ", "Bearer ", "api_key = ", "token: ", '"password": "', "secret=", "://user:", "://", "-----BEGIN "),
    *(
        "-----",
        "--",
        "the cat",
        "task-",
        "k",
        "s",
        "(",
        ".",
        "\n",
        '"',
        "@host/",
        "a1b2c3d4e5f6",
        "İ",
        "hunter2",
        "geheim",
    ),
    *KNOWN,
]


@settings(max_examples=600, deadline=None)
@given(
    parts=st.lists(st.sampled_from(PARTS), max_size=8),
    glue=st.sampled_from([" ", "\n", ", "]),
    cuts=st.lists(st.integers(1, 30), min_size=1),
)
def test_any_text_in_any_pieces(parts, glue, cuts):
    redactor = Redactor(KNOWN)
    text, chunks, place = glue.join(parts), [], 0
    while place < len(text):
        size = cuts[len(chunks) % len(cuts)]
        chunks.append(text[place : place + size])
        place += size
    assert "".join(streamed(redactor, chunks)) == redactor.text(text)


@settings(max_examples=300, deadline=None)
@given(
    parts=st.lists(st.sampled_from(PARTS), max_size=6),
    secret=st.sampled_from([*KNOWN, PEM]),
    size=st.integers(1, 12),
)
def test_whatever_stands_around_it_a_secret_never_gets_out(parts, secret, size):
    text = "".join([*parts[::2], secret, *parts[1::2]])
    assert secret not in "".join(streamed(Redactor(KNOWN), pieces(text, size)))
    assert secret not in Redactor(KNOWN).text(text)
