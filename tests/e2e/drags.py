"""Dragging one card of a list to the place of another, with the mouse."""

from __future__ import annotations

PLACE = """() => {
  const card = document.querySelector(".sortable-ghost");
  return card ? [...card.parentElement.children].filter(one => one.hasAttribute("x-sort:item")).indexOf(card) : -1;
}"""


def drag(page, handles, origin, target):
    """Lets go as soon as the others have slid aside, however long that takes."""
    handles.nth(origin).evaluate("handle => handle.scrollIntoView({block: 'center'})")
    handles.nth(origin).hover()
    start, end = handles.nth(origin).bounding_box(), handles.nth(target).bounding_box()
    page.mouse.down()
    page.mouse.move(start["x"] + 8, start["y"] + 30, steps=5)
    for attempt in range(300):
        page.mouse.move(end["x"] + 5, end["y"] + 12 + attempt % 5, steps=15 if attempt == 0 else 2)
        if page.evaluate(PLACE) == target:
            break
        page.wait_for_timeout(50)
    assert page.evaluate(PLACE) == target, "the card does not go there"
    page.mouse.up()
