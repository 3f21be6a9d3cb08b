"""A web client that sends no requests."""

from shared.web.http.client import WebRequest, WebResponse


class FakeWeb:
    """Answers requests with the `answers` (statuses or errors) in order, and then with 200."""

    def __init__(self) -> None:
        self.sent: list[WebRequest] = []
        self.answers: list[int | Exception] = []
        self.headers: dict[str, str] = {}

    async def send(self, request: WebRequest) -> WebResponse:
        self.sent.append(request)
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, Exception):
            raise answer
        return WebResponse(answer, request.url, self.headers, b"")
