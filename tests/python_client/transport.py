"""The common part of the methods of a generated client. It sends one request, with the standard library of Python."""

import json
import urllib.error
import urllib.parse
import urllib.request

import models


class ApiError(Exception):
    """A refusal. `error` is the schema Error of the document."""

    def __init__(self, status, error):
        super().__init__(f"{status} {error.error.code.value}: {error.error.message}")
        self.status, self.error = status, error


class Page(list):
    """The items of a list, and its pagination."""

    pagination = None


def items(reads):
    return lambda data: Page(reads(item) for item in data)


class Transport:
    def __init__(self, url, key, timeout=30):
        self.url, self.key, self.timeout = url, key, timeout

    @staticmethod
    def quoted(value):
        return urllib.parse.quote(str(value), safe="")

    def call(self, method, path, query, headers, reads, body=None, media="application/json"):
        query = {name: ",".join(value) if isinstance(value, (list, tuple)) else str(value).lower()
                 if isinstance(value, bool)
                 else value for name, value in query.items() if value is not None}
        headers = {name: value for name, value in headers.items() if value is not None}
        if body is not None:
            headers["Content-Type"] = media
        request = urllib.request.Request(
            self.url + path + ("?" + urllib.parse.urlencode(query) if query else ""), method=method,
            data=body if body is None or isinstance(body, bytes) else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.key}", **headers})
        try:
            with urllib.request.urlopen(request, timeout=self.timeout) as reply:
                return self.read(reply, reads)
        except urllib.error.HTTPError as refused:
            raise ApiError(refused.code, models.error_from_dict(json.load(refused))) from None

    @staticmethod
    def read(reply, reads):
        text = reply.read().decode()
        if not reply.headers.get("Content-Type", "").startswith("application/json"):
            return text or None
        whole = json.loads(text)
        if reads is None:
            return whole.get("data", whole)
        data = reads(whole["data"])
        if isinstance(data, Page) and "pagination" in whole:
            data.pagination = models.pagination_from_dict(whole["pagination"])
        return data
