"""The library that ships: a demo with prompts and workflows, and a public list of 197 prompts (CC0)."""

from __future__ import annotations

from pathlib import Path

import llm_admin

DEMO = "demo_library.json"
GALLERY = "gallery.json"
SAMPLES = "prompts-2025.csv"
SAMPLE_COUNT = 197
FIRST_SAMPLE = "An Ethereum Developer"


def read_shipped(name: str) -> bytes:
    """Beside the package in a checkout, within it when it was installed from a wheel."""
    package = Path(llm_admin.__file__).parent
    places = (package / "fixtures" / name, package.parent / "fixtures" / name)
    return next((place for place in places if place.is_file()), places[0]).read_bytes()
