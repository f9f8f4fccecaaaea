"""What real models cost, against the providers' own price pages, copied here by hand.

Rates are US dollars per million tokens; expected costs are written as literal arithmetic, without our code. Where the
installed list says something else than the provider's page, the row says so under DIFFERENCES.
"""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal

import pytest

from llm_admin.runtime.pricing import cost_nano
from llm_admin.runtime.published_prices import HOSTS, published, source_of
from llm_admin.schemas.usage import TokenUsage

# The rates' order: input, output, cached input, cache write. None: the page has no rate of its own.
# https://platform.openai.com/docs/pricing (text tokens, standard processing) and, for models that left that page,
# https://platform.openai.com/docs/models/<model>
OPENAI = {
    "gpt-5": ("1.25", "10", "0.125", None),
    "gpt-5-2025-08-07": ("1.25", "10", "0.125", None),
    "gpt-5-mini": ("0.25", "2", "0.025", None),
    "gpt-5-nano": ("0.05", "0.40", "0.005", None),
    "gpt-5-pro": ("15", "120", None, None),
    "gpt-5.1": ("1.25", "10", "0.125", None),
    "gpt-5.2": ("1.75", "14", "0.175", None),
    "gpt-4.1": ("2", "8", "0.50", None),
    "gpt-4.1-mini": ("0.40", "1.60", "0.10", None),
    "gpt-4.1-nano": ("0.10", "0.40", "0.025", None),
    "gpt-4o": ("2.50", "10", "1.25", None),
    "gpt-4o-2024-05-13": ("5", "15", None, None),
    "gpt-4o-mini": ("0.15", "0.60", "0.075", None),
    "o1": ("15", "60", "7.50", None),
    "o1-pro": ("150", "600", None, None),
    "o3": ("2", "8", "0.50", None),
    "o3-pro": ("20", "80", None, None),
    "o3-mini": ("1.10", "4.40", "0.55", None),
    "o4-mini": ("1.10", "4.40", "0.275", None),
    "gpt-4-turbo": ("10", "30", None, None),
    "gpt-4": ("30", "60", None, None),
    "gpt-3.5-turbo": ("0.50", "1.50", None, None),
}
# https://platform.claude.com/docs/en/about-claude/pricing (cache writes: 5 minutes)
ANTHROPIC = {
    "claude-opus-5": ("5", "25", "0.50", "6.25"),
    "claude-opus-4-8": ("5", "25", "0.50", "6.25"),
    "claude-opus-4-7": ("5", "25", "0.50", "6.25"),
    "claude-opus-4-6": ("5", "25", "0.50", "6.25"),
    "claude-opus-4-5": ("5", "25", "0.50", "6.25"),
    "claude-opus-4-1": ("15", "75", "1.50", "18.75"),
    "claude-opus-4-20250514": ("15", "75", "1.50", "18.75"),
    "claude-sonnet-5": ("2", "10", "0.20", "2.50"),
    "claude-sonnet-4-6": ("3", "15", "0.30", "3.75"),
    "claude-sonnet-4-5-20250929": ("3", "15", "0.30", "3.75"),
    "claude-sonnet-4-20250514": ("3", "15", "0.30", "3.75"),
    "claude-3-7-sonnet-20250219": ("3", "15", "0.30", "3.75"),
    "claude-haiku-4-5-20251001": ("1", "5", "0.10", "1.25"),
    "claude-3-5-haiku-20241022": ("0.80", "4", "0.08", "1"),
    "claude-3-opus-20240229": ("15", "75", "1.50", "18.75"),
    "claude-3-haiku-20240307": ("0.25", "1.25", "0.03", "0.30"),
    "claude-fable-5": ("10", "50", "1", "12.50"),
    "claude-fable-5-1": ("10", "50", "0.25", "12.50"),
}
# https://ai.google.dev/gemini-api/docs/pricing (paid tier, text; here up to 200,000 tokens, 1.5: up to 128,000)
GOOGLE = {
    "gemini-2.5-pro": ("1.25", "10", "0.125", None),
    "gemini-2.5-flash": ("0.30", "2.50", "0.03", None),
    "gemini-2.5-flash-lite": ("0.10", "0.40", "0.01", None),
    "gemini-2.0-flash": ("0.10", "0.40", "0.025", None),
    "gemini-2.0-flash-lite": ("0.075", "0.30", None, None),
    "gemini-3-pro-preview": ("2", "12", "0.20", None),
    "gemini-3-flash-preview": ("0.50", "3", "0.05", None),
    "gemini-1.5-flash": ("0.075", "0.30", "0.01875", None),
}
# https://groq.com/pricing
GROQ = {
    "llama-3.3-70b-versatile": ("0.59", "0.79", None, None),
    "llama-3.1-8b-instant": ("0.05", "0.08", None, None),
    "meta-llama/llama-4-scout-17b-16e-instruct": ("0.11", "0.34", None, None),
    "gemma2-9b-it": ("0.20", "0.20", None, None),
}
# https://docs.x.ai/docs/models
X_AI = {
    "grok-3": ("3", "15", "0.75", None),
    "grok-3-mini": ("0.30", "0.50", "0.075", None),
    "grok-4-0709": ("3", "15", "0.75", None),
    "grok-code-fast-1": ("0.20", "1.50", "0.02", None),
}
# https://mistral.ai/pricing
MISTRAL = {
    "magistral-medium-latest": ("2", "5", None, None),
    "codestral-latest": ("0.30", "0.90", None, None),
    "open-mistral-nemo": ("0.15", "0.15", None, None),
}
# https://cohere.com/pricing
COHERE = {
    "command-a-03-2025": ("2.50", "10", None, None),
    "command-r-08-2024": ("0.15", "0.60", None, None),
    "command-r7b-12-2024": ("0.0375", "0.15", None, None),
    "command-r-plus-08-2024": ("2.50", "10", None, None),
}
PAGES = {
    ("openai", ""): OPENAI,
    ("anthropic", ""): ANTHROPIC,
    ("google", ""): GOOGLE,
    ("openai", "https://api.groq.com/openai/v1"): GROQ,
    ("openai", "https://api.x.ai/v1"): X_AI,
    ("openai", "https://api.mistral.ai/v1"): MISTRAL,
    ("openai", "https://api.cohere.ai/compatibility/v1"): COHERE,
}
MODELS = [(*where, model, rates) for where, page in PAGES.items() for model, rates in page.items()]


def cost(kind, base_url, model, usage):
    """As a call of today would be priced."""
    found = published(source_of(kind, base_url, model))
    assert found, f"{model} is not in the list"
    return cost_nano(found[-1].price, usage)


def test_enough_real_models_are_in_the_table():
    assert len(MODELS) >= 60


@pytest.mark.parametrize(("kind", "base_url", "model", "rates"), MODELS, ids=lambda value: str(value))
def test_every_model_costs_what_its_page_says(kind, base_url, model, rates):
    """12,000 in, of them 5,000 read from the cache and 3,000 written to it; 700 out, of them 400 reasoning."""
    into, out, cached, write = rates
    into, out = Decimal(into), Decimal(out)
    cached, write = Decimal(cached) if cached else into, Decimal(write) if write else into
    mixes = {
        TokenUsage(12_000, 700): 12_000 * into + 700 * out,
        TokenUsage(12_000, 700, cached_input=5_000): 7_000 * into + 5_000 * cached + 700 * out,
        TokenUsage(12_000, 700, reasoning=400): 12_000 * into + 700 * out,
        TokenUsage(12_000, 700, 5_000, 3_000, 400): 4_000 * into + 5_000 * cached + 3_000 * write + 700 * out,
    }
    for usage, dollars_a_million_times in mixes.items():
        assert cost(kind, base_url, model, usage) == dollars_a_million_times * 1_000, usage


@pytest.mark.parametrize(
    ("kind", "model", "usage", "nano"),
    [
        # plain: 1,200 x $1.25/M + 300 x $10/M
        ("openai", "gpt-5", TokenUsage(1_200, 300), 1_500_000 + 3_000_000),
        # cached: 1,000 x $2.50 + 9,000 x $1.25 + 50 x $10
        ("openai", "gpt-4o", TokenUsage(10_000, 50, cached_input=9_000), 2_500_000 + 11_250_000 + 500_000),
        # reasoning is paid as output: 500 x $1.10 + (100 + 2,000) x $4.40
        ("openai", "o4-mini", TokenUsage(500, 2_100, reasoning=2_000), 550_000 + 9_240_000),
        ("openai", "o3", TokenUsage(10_000, 1_000, 4_000, None, 900), 12_000_000 + 2_000_000 + 8_000_000),
        # embeddings: 8,000 x $0.02, $0.13, $0.10
        ("openai", "text-embedding-3-small", TokenUsage(8_000, 0), 160_000),
        ("openai", "text-embedding-3-large", TokenUsage(8_000, 0), 1_040_000),
        ("openai", "text-embedding-ada-002", TokenUsage(8_000, 0), 800_000),
        # cache write and read: 20 x $3 + 4,000 x $3.75 + 16,000 x $0.30 + 600 x $15
        (
            "anthropic",
            "claude-sonnet-4-6",
            TokenUsage(20_020, 600, 16_000, 4_000),
            60_000 + 15_000_000 + 4_800_000 + 9_000_000,
        ),
        ("anthropic", "claude-3-5-haiku-20241022", TokenUsage(2_048, 10, None, 2_048), 2_048_000 + 40_000),
        ("anthropic", "claude-opus-4-1", TokenUsage(9_000, 100, 9_000), 13_500_000 + 7_500_000),
        # long calls: Claude Haiku 5.5 above 100,000 is five times dearer, every token of the request
        ("anthropic", "claude-haiku-5-5", TokenUsage(100_000, 1_000), 10_000_000 + 500_000),
        ("anthropic", "claude-haiku-5-5", TokenUsage(100_001, 1_000), 50_000_500 + 2_500_000),
        (
            "anthropic",
            "claude-haiku-5-5",
            TokenUsage(150_000, 1_000, 80_000, 20_000),
            25_000_000 + 4_000_000 + 12_500_000 + 2_500_000,
        ),
        # Gemini: <= 200,000 tokens $1.25 / $10 / $0.125, above $2.50 / $15 / $0.25
        ("google", "gemini-2.5-pro", TokenUsage(200_000, 1_000), 250_000_000 + 10_000_000),
        ("google", "gemini-2.5-pro", TokenUsage(200_001, 1_000), 500_002_500 + 15_000_000),
        (
            "google",
            "gemini-2.5-pro",
            TokenUsage(300_000, 1_000, 100_000, None, 800),
            500_000_000 + 25_000_000 + 15_000_000,
        ),
        ("google", "gemini-3-pro-preview", TokenUsage(250_000, 100), 1_000_000_000 + 1_800_000),
        # 1.5: <= 128,000 $0.075 / $0.30, above twice that
        ("google", "gemini-1.5-flash", TokenUsage(128_000, 1_000), 9_600_000 + 300_000),
        ("google", "gemini-1.5-flash", TokenUsage(128_001, 1_000), 19_200_150 + 600_000),
    ],
)
def test_mixed_kinds_and_long_calls_by_hand(kind, model, usage, nano):
    assert cost(kind, "", model, usage) == nano


# What the installed list (genai-prices 0.2.3) says otherwise than the provider's page, so that nobody is surprised and
# an upgrade that changes it is seen. Whoever uses these models enters prices of their own.
DIFFERENCES = [
    # https://ai.google.dev/gemini-api/docs/pricing had $0.3125 for cached input of Gemini 1.5 Pro; the list has none.
    ("google", "", "gemini-1.5-pro", TokenUsage(10_000, 0, cached_input=10_000), 12_500_000, 3_125_000),
    # https://docs.x.ai/docs/models: calls of more than 128,000 tokens cost twice as much; the list has no such tier.
    ("openai", "https://api.x.ai/v1", "grok-4-0709", TokenUsage(130_000, 0), 390_000_000, 780_000_000),
]


@pytest.mark.parametrize(("kind", "base_url", "model", "usage", "ours", "page"), DIFFERENCES)
def test_known_differences_between_the_list_and_the_page(kind, base_url, model, usage, ours, page):
    assert cost(kind, base_url, model, usage) == ours != page


@pytest.mark.parametrize(
    ("kind", "base_url", "model"),
    [
        ("openai", "http://localhost:11434/v1", "gpt-4o"),
        ("openai", "https://ollama.example.com/v1", "gpt-4o"),
        ("openai", "https://api.openai.com.evil.example/v1", "gpt-4o"),
        ("openai", "https://evil.example/api.openai.com", "gpt-4o"),
        ("openai", "http://api.openai.com/v1", "gpt-4o"),
        ("openai", "https://me.openai.azure.com/openai/v1", "gpt-4o"),
        ("openai", "https://[bad", "gpt-4o"),
        ("fake", "", "gpt-4o"),
        ("acme", "", "gpt-4o"),
        ("openai", "", ""),
        ("huggingface", "", "openai/gpt-oss-120b"),
    ],
)
def test_only_a_providers_own_address_has_its_prices(kind, base_url, model):
    assert source_of(kind, base_url, model) is None


@pytest.mark.parametrize(
    ("base_url", "model", "why"),
    [
        ("", "no-such-model", "not in the list"),
        ("", "whisper-1", "by the hour"),
        ("https://api.deepseek.com", "deepseek-chat", "by the time of day"),
        ("https://api.perplexity.ai", "sonar-pro", "a fee that depends on the search"),
        ("https://api.perplexity.ai", "sonar-deep-research", "citation tokens, which no log has"),
    ],
)
def test_what_cannot_be_computed_from_a_log_has_no_published_price(base_url, model, why):
    assert published(source_of("openai", base_url, model)) == (), why


def test_a_model_behind_huggingfaces_router_has_the_price_of_who_runs_it():
    source = source_of("huggingface", "", "openai/gpt-oss-120b:groq")
    assert (source.provider, source.model) == ("huggingface_groq", "openai/gpt-oss-120b")
    assert published(source)


def test_prices_that_change_on_a_day_come_oldest_first():
    found = published(source_of("openai", "", "o3"))
    assert [(str(one.starts_on), one.price.input) for one in found] == [("None", 10), ("2025-06-10", 2)]


def test_every_host_is_a_provider_of_the_list():
    from genai_prices.data_snapshot import get_snapshot

    assert set(HOSTS.values()) <= {provider.id for provider in get_snapshot().providers}


def test_the_list_is_not_read_before_it_is_needed():
    code = (
        "import sys, django; from django.conf import settings; django.setup();"
        "import llm_admin.services.resolving, llm_admin.admin;"
        "sys.exit('genai_prices' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
