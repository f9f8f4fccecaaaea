from tests.servers.recorded_server import RecordedServer


class AnthropicServer(RecordedServer):
    provider = "anthropic"
    routes = {"POST /v1/messages": "chat", "GET /v1/models": "models"}
