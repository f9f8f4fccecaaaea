"""Waiting for a page to be there as a reader has it, and not a moment longer."""

from __future__ import annotations

# Runs before each page's own scripts.
COUNT_REQUESTS = """(() => {
  let open = 0;
  window.llmOpenRequests = () => open;
  const { fetch } = window;
  window.fetch = (...request) => {
    open += 1;
    return fetch(...request).finally(() => { open -= 1; });
  };
  const { send } = XMLHttpRequest.prototype;
  XMLHttpRequest.prototype.send = function (...body) {
    open += 1;
    this.addEventListener("loadend", () => { open -= 1; });
    return send.apply(this, body);
  };
})()"""
# What htmx and Alpine still have to do is done in the turn after the answer came.
SETTLED = """async () => {
  const busy = () => document.readyState !== "complete" || window.llmOpenRequests() > 0
    || document.fonts.status !== "loaded" || document.querySelector(".htmx-request, .htmx-swapping, .htmx-settling");
  if (busy()) return false;
  await new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve, 0)));
  return !busy();
}"""


def settled(page) -> None:
    """Everything that the page asks for by itself has arrived and is shown."""
    page.wait_for_function(SETTLED)
