"""The schemas of docs/openapi.yaml as types of TypeScript."""

import json

import yaml

HEAD = "// Written by web/api_types.py from docs/openapi.yaml. Not to be changed by hand.\n"
SIMPLE = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}


def schemas_of(source):
    with open(source, encoding="utf-8") as file:
        return yaml.safe_load(file)["components"]["schemas"]


def fields(source, name):
    """Returns the names of the fields of a schema."""
    return list(schemas_of(source)[name]["properties"])


def write(source, target):
    schemas = schemas_of(source)
    lines = [HEAD] + [f"export type {name} = {type_of(schema)}\n" for name, schema in schemas.items()]
    with open(target, "w", encoding="utf-8") as file:
        file.write("\n".join(lines))


def type_of(schema):
    if "$ref" in schema:
        return schema["$ref"].rsplit("/", 1)[1]
    for word, sign in (("allOf", " & "), ("anyOf", " | "), ("oneOf", " | ")):
        if word in schema:
            return "(" + sign.join(type_of(part) for part in schema[word]) + ")"
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    if "const" in schema:
        return json.dumps(schema["const"])
    kinds = schema.get("type", "object")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    return " | ".join(type_of_kind(kind, schema) for kind in kinds)


def type_of_kind(kind, schema):
    if kind in SIMPLE:
        return SIMPLE[kind]
    if kind == "array":
        return f"Array<{type_of(schema.get('items', {}))}>"
    properties = schema.get("properties")
    if not properties:
        return "{ [key: string]: any }"
    required = schema.get("required", [])
    fields = [f"{json.dumps(name)}{'' if name in required else '?'}: {type_of(value)}"
              for name, value in properties.items()]
    return "{ " + "; ".join(fields) + " }"
