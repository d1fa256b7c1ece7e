#!/usr/bin/env python3
"""make_client.py openapi.json FOLDER: makes a client in Python from the document. quicktype makes the classes of its
schemas from FOLDER/schemas.json. This program makes the methods of its operations, in FOLDER/api.py."""

import json
import keyword
import os
import re
import sys

HEAD = '''"""Made of openapi.json by make_client.py."""

import models
from transport import Transport, items


class Client(Transport):
'''
# formats such as dates stay texts, so that no other library is needed
TEXTS = ("description", "summary", "example", "examples", "format")


def snake(name):
    """Returns a name such as `createBatchCall` or `If-Match` in the form of Python."""
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", re.sub(r"\W+", "_", name)).strip("_").lower()
    return text + "_" if keyword.iskeyword(text) else text


def without_texts(value):
    if isinstance(value, list):
        return [without_texts(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: without_texts(item) for key, item in value.items()
            if not (key in TEXTS and not isinstance(item, dict))}


class Operation:
    def __init__(self, document, method, path, operation):
        self.document, self.method, self.path, self.operation = document, method, path, operation
        self.parameters = [self.resolved(one) for one in operation.get("parameters", [])]

    def resolved(self, value):
        while "$ref" in value:
            target = self.document
            for part in value["$ref"].split("/")[1:]:
                target = target[part]
            value = target
        return value

    def of_place(self, place):
        return [one["name"] for one in self.parameters if one["in"] == place]

    def body(self):
        """Returns the function that writes the body by its schema (None: the body is bytes), and whether a body is
        required."""
        body = self.operation.get("requestBody")
        if body is None:
            return None
        body = self.resolved(body)
        schema = body["content"].get("application/json", {}).get("schema", {})
        writes = snake(schema["$ref"].split("/")[-1]) + "_to_dict" if "$ref" in schema else None
        return writes, next(iter(body["content"])), body.get("required", False)

    def reads(self):
        """Returns the function that reads `data` of the reply."""
        reply = next(self.resolved(one) for status, one in self.operation["responses"].items()
                     if status.startswith("2"))
        schema = self.resolved(reply.get("content", {}).get("application/json", {}).get("schema", {}))
        data = schema.get("properties", {}).get("data", {})
        if "$ref" in data:
            return self.reader(data)
        if data.get("type") == "array" and "$ref" in data["items"]:
            return f"items({self.reader(data['items'])})"
        return "None"

    @staticmethod
    def reader(schema):
        return f"models.{snake(schema['$ref'].split('/')[-1])}_from_dict"

    def source(self):
        names = re.findall(r"{(\w+)}", self.path)
        keywords = {snake(name): name for name in self.of_place("query") + self.of_place("header")}
        body = self.body()
        arguments = ["self"] + [snake(name) for name in names]
        sent = "None"
        if body is not None:
            writes, media, required = body
            arguments.append("body" if required else "body=None")
            sent = f"models.{writes}(body)" if writes else "body"
            sent = f"{sent} if body is not None else None, {media!r}"
        arguments += ["*"] * bool(keywords) + [f"{name}=None" for name in keywords]
        path = re.sub(r"{(\w+)}", lambda found: "{self.quoted(" + snake(found[1]) + ")}", self.path)
        query = ", ".join(f"{name!r}: {snake(name)}" for name in self.of_place("query"))
        headers = ", ".join(f"{name!r}: {snake(name)}" for name in self.of_place("header"))
        lines = [f"    def {snake(self.operation['operationId'])}({', '.join(arguments)}):",
                 f"        {json.dumps(self.operation.get('summary', ''))}",
                 f"        return self.call({self.method.upper()!r}, f{path!r}, {{{query}}}, {{{headers}}},"
                 f" {self.reads()},",
                 f"                         {sent})"]
        return "\n".join(lines) + "\n"


def operations_of(document):
    base = "/api/public/v1"
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method in ("get", "post", "put", "patch", "delete"):
                whole = path if path in ("/healthz", "/readyz", "/metrics") else base + path
                yield Operation(document, method, whole, operation)


def main(document_path, folder):
    with open(document_path, encoding="utf-8") as file:
        document = json.load(file)
    with open(os.path.join(folder, "schemas.json"), "w", encoding="utf-8") as file:
        json.dump(without_texts(document), file)
    with open(os.path.join(folder, "api.py"), "w", encoding="utf-8") as file:
        file.write(HEAD + "\n".join(operation.source() for operation in operations_of(document)))


if __name__ == "__main__":
    main(*sys.argv[1:])
