"""The tasks of the studio are done with the keyboard alone."""

from __future__ import annotations


def press(target) -> None:
    """A control that Tab reaches and Enter triggers."""
    target.focus()
    assert target.evaluate("node => node === document.activeElement && node.tabIndex >= 0"), (
        "out of the keyboard's reach"
    )
    target.press("Enter")
