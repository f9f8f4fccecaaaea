from __future__ import annotations

import unicodedata


def name_key(name: str) -> str:
    """Names are unique without regard to case, width and surrounding or repeated space."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
