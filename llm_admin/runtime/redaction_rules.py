"""What keys and tokens look like. Every pattern is linear: what repeats is bounded, or is never given back.

A pattern's group `secret` (or else the whole match) is what gets masked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# What values of keys consist of. A run of these that began as a key may still be growing while text streams in.
VALUE_CHARS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./+=~!@#%^&*:?"
VALUE = r"[A-Za-z0-9_\-./+=~!@#%^&*:?]"
END_OF_VALUE = re.compile(rf"(?!{VALUE})[\s\S]")
START = r"(?<![A-Za-z0-9])"
HAS_DIGIT = r"(?=[A-Za-z_\-./+=~!@#%^&*:?]{0,60}[0-9])"
HAS_LETTER = r"(?=[0-9_\-./+=~!@#%^&*:?]{0,60}[A-Za-z])"
NO_CALL_NO_URL = r"(?!https?://)(?![\w.]{0,80}\()"


@dataclass(frozen=True, slots=True)
class Rule:
    label: str  # "The text contains {label}."
    hints: tuple[str, ...]  # one of these is in every match
    pattern: re.Pattern[str]
    lower: bool = False  # hints and pattern are for the text in small letters


def _token(label: str, prefixes: str, rest: str) -> Rule:
    hints = tuple(prefixes.split())
    return Rule(label, hints, re.compile(rf"{START}(?:{'|'.join(map(re.escape, hints))}){rest}"))


TOKENS = (
    _token(
        "a key that begins with “sk-” (as OpenAI's and Anthropic's do)",
        "sk-",
        r"(?:(?=[A-Za-z_-]{0,60}[0-9])|(?=[A-Za-z_-]{0,12}[A-Za-z]{20}))[A-Za-z0-9_-]{16,}",
    ),
    _token("a Google key", "AIza", r"[A-Za-z0-9_-]{30,}"),
    _token("a Google token", "ya29. GOCSPX-", r"[A-Za-z0-9_-]{20,}"),
    _token("a Hugging Face token", "hf_", r"[A-Za-z0-9]{30,}"),
    _token("a GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_", r"[A-Za-z0-9]{30,}"),
    _token("a GitHub token", "github_pat_", r"[A-Za-z0-9_]{22,}"),
    _token("a GitLab token", "glpat-", r"[A-Za-z0-9_-]{20,}"),
    _token("an AWS key", "AKIA ASIA", r"[A-Z0-9]{16}(?![A-Za-z0-9])"),
    _token("a Slack token", "xoxa- xoxb- xoxe- xoxo- xoxp- xoxr- xoxs- xapp-", r"[A-Za-z0-9-]{10,}"),
    _token("a Stripe key", "sk_live_ sk_test_ rk_live_ rk_test_ whsec_", r"[A-Za-z0-9]{16,}"),
    _token("a SendGrid key", "SG.", r"[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
    _token("a package registry's token", "npm_ pypi-", r"(?=[A-Za-z_-]{0,60}[0-9])[A-Za-z0-9_-]{30,}"),
    _token(
        "a key of an AI service", "gsk_ xai- pplx- r8_ nvapi- lsv2_", r"(?=[A-Za-z_-]{0,60}[0-9])[A-Za-z0-9_-]{24,}"
    ),
    Rule(
        "a signed token (JWT)",
        ("eyJ",),
        re.compile(r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}+\.eyJ[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]{8,}"),
    ),
)

LONG_NAMES = (
    "api[ _-]?key|access[ _-]?key|secret[ _-]?key|private[ _-]?key|signing[ _-]?key|client[ _-]?secret"
    "|access[ _-]?token|auth[ _-]?token|password|passwd|passphrase|pwd|authorization"
)
SHORT_NAMES = "secret|token"
QUOTE = r"\\{0,2}[\"'`]?"
ASSIGNS = rf"{QUOTE}[ \t]{{0,4}}(?::=|=>|=|:)[ \t]{{0,4}}{QUOTE}"
LONG_LEAD = rf"(?:{LONG_NAMES}){ASSIGNS}"
SHORT_LEAD = rf"(?:{SHORT_NAMES}){ASSIGNS}"
SCHEME_LEAD = rf"authorization{ASSIGNS}(?:bearer|basic|token|apikey)[ \t]{{1,4}}"
BEARER_LEAD = r"bearer[ \t]{1,4}"
LIKELY = HAS_DIGIT + HAS_LETTER + NO_CALL_NO_URL

NAMED = (
    Rule(
        "a value that is called a key or password",
        ("key", "secret", "token", "passw", "passphrase", "pwd", "authorization"),
        re.compile(rf"{LONG_LEAD}{LIKELY}(?P<secret>{VALUE}{{8,}})"),
        lower=True,
    ),
    Rule(
        "a value that is called a secret or token",
        ("secret", "token"),
        re.compile(rf"{SHORT_LEAD}{LIKELY}(?P<secret>{VALUE}{{12,}})"),
        lower=True,
    ),
    Rule(
        "an authorization header",
        ("authorization",),
        re.compile(rf"{SCHEME_LEAD}(?P<secret>{VALUE}{{6,}})"),
        lower=True,
    ),
    Rule(
        "a bearer token",
        ("bearer",),
        re.compile(rf"{BEARER_LEAD}{HAS_DIGIT}(?P<secret>{VALUE}{{16,}})"),
        lower=True,
    ),
)

URL_LEAD = r"://[^\s/:@]{1,60}:"
PEM_OPEN = r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY[A-Z ]{0,10}-----"
PEM_BODY = r"(?:[^-]|-(?!----)){1,20000}"
BLOCKS = (
    Rule("a password in a web address", ("://",), re.compile(rf"{URL_LEAD}(?P<secret>[^\s/@]{{1,200}})@")),
    Rule(
        "a private key",
        ("PRIVATE KEY",),
        re.compile(rf"{PEM_OPEN}{PEM_BODY}-----END [A-Z0-9 ]{{0,30}}PRIVATE KEY[A-Z ]{{0,10}}-----"),
    ),
)

RULES = (*TOKENS, *NAMED, *BLOCKS)

# For streams: how each of these begins.
MARKERS = tuple(hint for rule in TOKENS for hint in rule.hints)
_ANY_MARKER = "|".join(map(re.escape, MARKERS))
MARKER = re.compile(rf"{START}(?:{_ANY_MARKER})")
MARKER_STARTS = frozenset(marker[:length] for marker in MARKERS for length in range(1, len(marker)))
MARKER_START_ENDS = frozenset(start[-1] for start in MARKER_STARTS)
LONGEST_MARKER = max(map(len, MARKERS))
LEAD = re.compile(f"{SCHEME_LEAD}|{BEARER_LEAD}|{LONG_LEAD}|{SHORT_LEAD}")  # for the text in small letters
LONGEST_LEAD = 80
OPEN_URL = re.compile(rf"{URL_LEAD}[^\s/@]{{0,200}}\Z")
OPEN_PEM = re.compile(rf"{PEM_OPEN}(?:{PEM_BODY})?(?:-----(?:E(?:N(?:D[A-Z0-9 ]{{0,60}}-{{0,4}})?)?)?)?\Z")
START_OF_PEM = re.compile(r"(?:-{1,5}|-----B(?:E(?:G(?:I(?:N[A-Z0-9 ]{0,60}-{0,4})?)?)?)?)\Z")
# Without one of these a piece of text neither is nor begins anything, nor completes what came before.
SUSPECT = re.compile(rf"[:=]|--|-\Z|{_ANY_MARKER}")

IN_TEXT = tuple(rule for rule in RULES if not rule.lower)
IN_LOWER = tuple(rule for rule in RULES if rule.lower)
