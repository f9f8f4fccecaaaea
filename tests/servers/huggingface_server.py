from tests.servers.recorded_server import RecordedServer


class HuggingFaceServer(RecordedServer):
    """An Inference Endpoint: chat at /v1, embeddings at its root, as text-embeddings-inference has them."""

    provider = "huggingface"
    base_path = "/v1"
    routes = {"POST /v1/chat/completions": "chat", "GET /v1/models": "models", "POST /?": "embeddings"}
