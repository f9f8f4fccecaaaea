from tests.servers.recorded_server import RecordedServer


class RecordedOpenAIServer(RecordedServer):
    """OpenAI's own answers; openai_server.py is the one that does what a test tells it."""

    provider = "openai"
    base_path = "/v1"
    routes = {"POST /v1/chat/completions": "chat", "POST /v1/embeddings": "embeddings", "GET /v1/models": "models"}
