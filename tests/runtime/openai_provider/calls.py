"""A call of the provider, as the executor makes it."""

import time

import langchain_openai  # noqa: F401 - takes seconds; not while we look at the clock

from llm_admin.runtime.providers import Endpoint

KEY = "planted-0815-key"
PATIENCE = 30  # for each next piece: longer than any machine is busy
WAIT = 0.4  # for one that never comes
WEB_PAGE = "answered with a web page instead of JSON: is the base URL right?"


def endpoint_to(server, model, **changes):
    settings = {"base_url": server.base_url, "api_key": KEY, "timeout": 60, "first_token_timeout": PATIENCE, **changes}
    return Endpoint("openai", model, **settings)


class Call:
    def __init__(self, provider, endpoint):
        self.provider, self.endpoint = provider, endpoint
        self.text, self.usage, self.metadata, self.failure = "", None, {}, None

    async def run(self, question, parameters):
        began = time.perf_counter()
        try:
            async for chunk in self.provider.build(self.endpoint, parameters).astream([("user", question)]):
                self.text += chunk.text
                if chunk.usage_metadata:
                    assert self.usage is None, "told once"
                    self.usage = (chunk.usage_metadata["input_tokens"], chunk.usage_metadata["output_tokens"])
                if chunk.response_metadata.get("finish_reason"):
                    self.metadata = chunk.response_metadata
            self.failure = self.provider.problem_at_end(self.metadata, self.usage is not None)
        except Exception as exc:  # noqa: BLE001 - as the executor does
            self.failure = self.provider.classify(exc)
            assert self.failure, f"not classified: {exc!r}"
        self.seconds = time.perf_counter() - began
        return self
