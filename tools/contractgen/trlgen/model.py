"""The contracts of one request."""
from .options import Options


class Refused(Exception):
    """The contract breaks rules; one line each, "file:line: sentence"."""

    def __init__(self, lines):
        super().__init__(lines[0])
        self.lines = lines


class Contracts:
    def __init__(self, request):
        self.options = Options(request.proto_file)
        self.files = {f.name: f for f in request.proto_file}
        self.asked = list(request.file_to_generate)
