"""An ordinary LangChain model. Its usage is told at the end, its last piece has a finish_reason."""

from __future__ import annotations

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from acme_llm.provider import AcmeError


class AcmeModel(BaseChatModel):
    name_of_model: str
    longest: int | None = None

    @property
    def _llm_type(self) -> str:
        return "acme"

    def _words(self, messages):
        if self.name_of_model == "coyote":
            raise AcmeError("the canyon is full")
        return f"Beep beep: {messages[-1].text}".split(" ")[: self.longest]

    async def _astream(self, messages, stop=None, run_manager=None, **kwargs):
        words = self._words(messages)
        for number, word in enumerate(words):
            yield ChatGenerationChunk(message=AIMessageChunk(content=f" {word}" if number else word))
        usage = {"input_tokens": 7, "output_tokens": len(words), "total_tokens": 7 + len(words)}
        last = AIMessageChunk(content="", usage_metadata=usage)
        yield ChatGenerationChunk(message=last, generation_info={"finish_reason": "stop"})

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        return ChatResult(generations=[ChatGeneration(message=AIMessage(content=" ".join(self._words(messages))))])
