from tests.servers.recorded_server import RecordedServer


class GoogleServer(RecordedServer):
    provider = "google"
    routes = {
        "POST /v1beta/models/[^/:]+:streamGenerateContent": "chat",
        "POST /v1beta/models/[^/:]+:batchEmbedContents": "embeddings",
        "GET /v1beta/models": "models",
    }
