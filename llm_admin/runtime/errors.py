"""Failures in words for people who write prompts: what happened, and the next thing to do."""

from __future__ import annotations

from llm_admin.choices import ErrorKind

MAX_DETAIL = 300

# What happened, and what to do. {at}: " of the connection “X”"; {model}: "the model “Y”"; {why}: " (the detail)".
WORDS: dict[ErrorKind, tuple[str, str]] = {
    ErrorKind.AUTHENTICATION: (
        "The provider refused the key{at}{why}.",
        "Ask an operator to check the key on the connection's page.",
    ),
    ErrorKind.RATE_LIMIT: (
        "The provider takes no more requests for {model} right now{why}.",
        "Wait a minute and run it again; if it keeps happening, ask an operator about the limits{at}.",
    ),
    ErrorKind.TIMEOUT: (
        "It took too long until {model} answered{why}.",
        "Run it again, ask for a shorter answer, or choose another model.",
    ),
    ErrorKind.CONTEXT_TOO_LONG: (
        "The text is too long for {model}{why}.",
        "Shorten the prompt or what is filled in, or choose a model that takes longer texts.",
    ),
    ErrorKind.CONTENT_FILTER: (
        "The provider's content filter stopped this{why}.",
        "Change the wording of the prompt or of what is filled in, or choose another model.",
    ),
    ErrorKind.BAD_REQUEST: (
        "The provider did not accept the request for {model}{why}.",
        "Check the settings of the prompt; if they are right, ask an operator to check the model{at}.",
    ),
    ErrorKind.PROVIDER_DOWN: (
        "The provider of {model} cannot be reached or has a problem{why}.",
        "Run it again in a few minutes; if it stays like this, ask an operator to test the connection{named}.",
    ),
    ErrorKind.PARSE_ERROR: (
        "The answer is not in the form that this step expects{why}.",
        "Say in the prompt exactly which form you want, or change what the step expects.",
    ),
    ErrorKind.DECLINED: ("Somebody declined this{why}.", "Read the reason, change what is needed, and run it again."),
    ErrorKind.FUNCTION: (
        "A function that your developers provided did not work{why}.",
        "Check what the step gives it; if that is right, tell a developer.",
    ),
    ErrorKind.BUDGET: (
        "This call was not made, and cost nothing{why}.",
        "Ask for more, or wait until the budget begins anew.",
    ),
    ErrorKind.USER_LIMIT: ("This call was not made, and cost nothing{why}.", "Wait a minute and run it again."),
    ErrorKind.INTERRUPTED: (
        "The server stopped while this was running{why}.",
        "What had arrived is kept; run it again if you still need the rest.",
    ),
    ErrorKind.CANCELLED: ("This was stopped{why}.", "What had arrived is kept; run it again when you like."),
    ErrorKind.INTERNAL: (
        "Something went wrong inside the console, not in your prompt{why}.",
        "Tell an operator: the details are on the run's page.",
    ),
}
NO_CREDIT = (
    "The provider's account has no credit or quota left{why}.",
    "Ask an operator to top up the account{at}, or choose another model.",
)
NOT_RUNNABLE = ("This could not be run{why}.", "Change that and run it again.")


def advice(kind: ErrorKind, detail: str = "", *, model: str = "", connection: str = "") -> str:
    """Two sentences. Without a model and a connection, a refused request never reached a provider."""
    happened, todo = _words(ErrorKind(kind), detail, reached=bool(model or connection))
    names = {
        "at": f" of the connection “{connection}”" if connection else "",
        "named": f" “{connection}”" if connection else "",
        "model": f"the model “{model}”" if model else "the model",
        "why": f" ({_short(detail)})" if detail.strip() else "",
    }
    return f"{happened} {todo}".format(**names)


def _words(kind: ErrorKind, detail: str, *, reached: bool) -> tuple[str, str]:
    if kind == ErrorKind.RATE_LIMIT and any(
        word in detail.lower() for word in ("quota", "credit", "balance", "billing")
    ):
        return NO_CREDIT
    if kind == ErrorKind.BAD_REQUEST and detail and not reached:
        return NOT_RUNNABLE
    return WORDS[kind]


def _short(detail: str) -> str:
    text = " ".join(detail.split()).rstrip(".")
    return text if len(text) <= MAX_DETAIL else f"{text[: MAX_DETAIL - 1]}…"
