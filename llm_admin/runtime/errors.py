from llm_admin.choices import ErrorKind


def advice(kind: ErrorKind, detail: str, *, model: str = "", connection: str = "") -> str:
    return f"{ErrorKind(kind).label}: {detail}"
