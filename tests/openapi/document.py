"""Reads an OpenAPI document, and compares values with its schemas. It knows the keywords of JSON Schema that our
document uses; another keyword is an error.  Objects are closed: a property that no schema names is a fault, unless the
schema has `additionalProperties: true`."""

import datetime
import re
import uuid

METHODS = ("get", "post", "patch", "delete")
ANNOTATIONS = {"description", "default", "examples", "contentMediaType"}
TYPES = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "null": lambda value: value is None,
}


def _instant(text):
    datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ" if "." in text else "%Y-%m-%dT%H:%M:%SZ")


def _uri(text):
    if not re.match(r"https?://[^\s/]+", text):
        raise ValueError


FORMATS = {"uuid": uuid.UUID, "date-time": _instant, "date": datetime.date.fromisoformat, "uri": _uri}

CHECKS = {
    "enum": lambda value, wanted: value in wanted,
    "const": lambda value, wanted: value == wanted,
    "minimum": lambda value, least: value is None or value >= least,
    "maximum": lambda value, most: value is None or value <= most,
    "minLength": lambda value, least: value is None or len(value) >= least,
    "maxLength": lambda value, most: value is None or len(value) <= most,
    "minItems": lambda value, least: value is None or len(value) >= least,
    "maxItems": lambda value, most: value is None or len(value) <= most,
    "uniqueItems": lambda value, _: value is None or len({repr(item) for item in value}) == len(value),
    "pattern": lambda value, pattern: value is None or re.search(pattern, value),
}


class Document:
    def __init__(self, tree):
        self.tree = tree
        self.operations = [Operation(self, method, path, item) for path, item in tree["paths"].items()
                           for method in METHODS if method in item]

    def resolve(self, node):
        """Returns the node that a $ref names, or the node itself."""
        while "$ref" in node:
            target = self.tree
            for name in node["$ref"].removeprefix("#/").split("/"):
                target = target[name]
            node = target
        return node

    def merged(self, schema):
        """Returns the schema without $ref and allOf."""
        schema = self.resolve(schema)
        if "allOf" not in schema:
            return schema
        whole = {"properties": {}, "required": []}
        for part in map(self.merged, schema["allOf"]):
            for name, value in part.items():
                if name == "properties":
                    whole["properties"].update(value)
                elif name == "required":
                    whole["required"] = whole["required"] + value
                else:
                    whole[name] = value
        return whole

    def faults(self, value, schema, at="$"):
        """Returns the faults of a value as texts."""
        schema = self.merged(schema)
        unknown = [key for key in schema if key not in CHECKS and key not in ANNOTATIONS and
                   key not in ("type", "format", "properties", "required", "additionalProperties",
                               "items", "anyOf", "unevaluatedProperties") and not key.startswith("x-")]
        assert not unknown, f"{at}: unknown keywords {unknown}"
        types = schema.get("type", [])
        types = [types] if isinstance(types, str) else types
        if types and not any(TYPES[name](value) for name in types):
            return [f"{at}: {value!r} is no {' or '.join(types)}"]
        found = [f"{at}: {value!r} against {key} {schema[key]!r}" for key in CHECKS
                 if key in schema and not CHECKS[key](value, schema[key])]
        if "anyOf" in schema and all(self.faults(value, part, at) for part in schema["anyOf"]):
            found += [fault for part in schema["anyOf"] for fault in self.faults(value, part, at)]
        if "format" in schema and isinstance(value, str):
            found += _format_faults(value, schema["format"], at)
        if isinstance(value, dict) and "object" in types:
            found += self._member_faults(value, schema, at)
        if isinstance(value, list) and "items" in schema:
            for index, item in enumerate(value):
                found += self.faults(item, schema["items"], f"{at}[{index}]")
        return found

    def _member_faults(self, value, schema, at):
        properties = schema.get("properties", {})
        found = [f"{at}: {name} is missing" for name in schema.get("required", []) if name not in value]
        for name, member in value.items():
            if name in properties:
                found += self.faults(member, properties[name], f"{at}.{name}")
            elif schema.get("additionalProperties") is not True:
                found.append(f"{at}: {name} is not in the document")
        return found


def _format_faults(value, name, at):
    try:
        FORMATS[name](value)
    except ValueError:
        return [f"{at}: {value!r} is no {name}"]
    return []


class Operation:
    def __init__(self, document, method, path, item):
        node = item[method]
        self.document, self.method, self.path, self.node = document, method.upper(), path, node
        self.id = node["operationId"]
        self.scope = node.get("x-scope")
        self.outside = "servers" in item  # of the base path
        self.parameters = [document.resolve(parameter)
                           for parameter in item.get("parameters", []) + node.get("parameters", [])]
        self.body = node.get("requestBody")
        self.responses = {status: document.resolve(response) for status, response in node["responses"].items()}
        self.pattern = re.compile(re.sub(r"\{\w+\}", r"[^/]+", path))

    def __repr__(self):
        return f"{self.method} {self.path}"

    def parameters_in(self, place):
        return {parameter["name"]: parameter for parameter in self.parameters if parameter["in"] == place}

    def body_schema(self, media_type="application/json"):
        return self.body["content"][media_type]["schema"] if self.body else None

    def codes(self):
        """Returns (status, code) of all documented replies except 500. The code of a reply that is no error is None."""
        found = set()
        for status, response in self.responses.items():
            if status != "default":
                json = response.get("content", {}).get("application/json", {})
                found.update((int(status), code) for code in json.get("examples", [None]))
        return found
