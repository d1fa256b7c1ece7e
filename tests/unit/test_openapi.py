#!/usr/bin/env python3
"""Compares docs/openapi.yaml with the route table and the tables of fields, which route_probe prints, and checks it
with a public linter. Prints TAP."""

import json
import os
import re
import subprocess
import sys

import yaml

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path += [os.path.join(ROOT, "tests"), os.path.join(ROOT, "tests", "openapi")]

import checks  # noqa: E402
import npm  # noqa: E402
from document import Document  # noqa: E402

BASE = "/api/public/v1"
FILE = os.path.join(ROOT, "docs", "openapi.yaml")
BUILD = os.environ.get("OUTDIAL_BUILD", "build")
INSTANT_INPUT = "2035-03-01T09:00"  # an example of InstantInput


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


document = Document(yaml.safe_load(read("docs/openapi.yaml")))
probe = json.loads(subprocess.run([os.path.join(ROOT, BUILD, "tests", "unit", "route_probe")], check=True,
                                  capture_output=True).stdout)


def routes():
    """Returns the rows of the route table, each with its operation."""
    operations = {(operation.method, address(operation)): operation for operation in document.operations}
    return [(route, operations[route["method"], braces(route["path"])]) for route in probe["routes"]]


def address(operation):
    return operation.path if operation.outside else BASE + operation.path


def braces(path):
    return path.replace("<", "{").replace(">", "}")


def test_operations_match_the_route_table():
    table = {(route["method"], braces(route["path"])) for route in probe["routes"]}
    written = {(operation.method, address(operation)) for operation in document.operations}
    assert table == written, f"only in the table: {table - written}; only in the document: {written - table}"


def test_operations_have_names_of_their_own():
    names = [operation.id for operation in document.operations]
    assert len(set(names)) == len(names), names
    for name in names:
        assert re.fullmatch(r"[a-z]+([A-Z][a-z]+)+", name), name


def test_scopes_match_the_route_table():
    for route, operation in routes():
        assert operation.scope == route["scope"], operation
        wanted = None if route["scope"] is None else [{"key": []}]
        if route["dialer"]:
            wanted += [{"report_token": []}, {"signature": []}]
        assert operation.node.get("security") == wanted, operation


def test_path_parameters_are_the_holes_of_the_route_table():
    for route, operation in routes():
        assert list(operation.parameters_in("path")) == re.findall(r"<(\w+)>", route["path"]), operation


def has_object(operation):
    """Returns whether the object that the operation changes, or acts on, has a GET."""
    gets = {other.path: other for other in document.operations if other.method == "GET"}
    patched = {other.path for other in document.operations if other.method == "PATCH"}
    path = operation.path
    if path not in gets and operation.method == "POST":
        path = path.rsplit("/", 1)[0]
    return path in gets and (path.endswith("}") or path in patched)


def test_headers_match_the_method():
    for operation in document.operations:
        one = operation.path.endswith("}") or operation.id in ("getOpenApi", "getOrganization")
        wanted = {"If-None-Match"} if one else set()
        if operation.method != "GET":
            wanted = {"Idempotency-Key"} | ({"If-Match"} if has_object(operation) else set())
        assert set(operation.parameters_in("header")) == wanted, operation


def test_parameters_match_the_tables():
    for route, operation in routes():
        written = {name: parameter["schema"] for name, parameter in operation.parameters_in("query").items()}
        compare(route["query"] or [], written, [], True, f"{operation}")


def test_bodies_match_the_tables():
    for route, operation in routes():
        if route["body"] is None:
            assert operation.body is None or route["stream"], operation
            continue
        schema = document.merged(operation.body_schema())
        change = route["change"]
        fields = [field for field in route["body"] if not (change and field["fixed"])]
        required = [] if change else [field["name"] for field in fields if field["required"]]
        if operation.id == "addBatchCallContacts":  # its handler requires them; its table is a campaign's
            required = ["contacts"]
            fields = [dict(field, nullable=False, min=1) for field in fields]
        if operation.id == "previewBatchCall":  # its handler reads `changes` by the table of a campaign
            schema = dict(schema, properties=dict(schema["properties"]))
            changes = schema["properties"].pop("changes")
            assert changes["anyOf"] == [{"$ref": "#/components/schemas/BatchCallUpdate"}, {"type": "null"}], operation
            fields = [field for field in fields if field["name"] != "changes"]
        assert sorted(schema.get("required", [])) == sorted(required), f"{operation}: {schema.get('required')}"
        compare(fields, schema.get("properties", {}), required, not change, f"{operation}")
        assert operation.body["required"] or not required, operation


def is_closed(schema):
    """Returns whether only the named properties are accepted: it is one of our objects, not an object that clients fill
    freely."""
    schema = document.resolve(schema)
    if "allOf" in schema:
        return schema.get("unevaluatedProperties") is False
    return schema.get("additionalProperties") is False


def objects(schema, at):
    """Yields the objects with properties in a schema, except the parts of an allOf."""
    schema = document.resolve(schema)
    if document.merged(schema).get("properties"):
        yield at, schema
    for name, member in document.merged(schema).get("properties", {}).items():
        yield from objects(member, f"{at}.{name}")
    for inner in schema.get("anyOf", []) + ([schema["items"]] if "items" in schema else []):
        yield from objects(inner, at)


def test_bodies_are_closed():
    for operation in document.operations:
        for media_type, content in operation.body["content"].items() if operation.body else ():
            for at, schema in objects(content["schema"], f"{operation} {media_type}"):
                assert is_closed(schema), at


def test_forms_have_the_parameters_and_the_file():
    for route, operation in routes():
        if route["stream"]:
            assert set(operation.body["content"]) == {"text/csv", "multipart/form-data"}, operation
            schema = document.merged(operation.body_schema("multipart/form-data"))
            fields = {name: value for name, value in schema["properties"].items() if name != "file"}
            compare(route["query"] or [], fields, [], True, f"{operation}")


def test_sizes_match_the_route_table():
    for route, operation in routes():
        written = operation.body["x-max-bytes"] if operation.body else 0
        assert written == route["body_max"], f"{operation}: {written} instead of {route['body_max']}"


def compare(fields, properties, required, defaults, at):
    """Compares a table of fields with the properties of a schema."""
    names = [field["name"] for field in fields]
    assert sorted(names) == sorted(properties), f"{at}: {set(names) ^ set(properties)}"
    for field in fields:
        written = properties[field["name"]]
        where = f"{at}: {field['name']}"
        facts = facts_of(written)
        wanted = EXPECTED[field["type"]](field)
        assert facts == wanted | {"null": field["nullable"]}, f"{where}: {facts} instead of {wanted}"
        if field["record"]:
            record = document.merged(document.merged(written)["items"])
            inner = [inner["name"] for inner in field["record"] if inner["required"]]
            assert sorted(record["required"]) == sorted(inner), where
            compare(field["record"], record["properties"], inner, defaults, where)
        default = document.merged(written).get("default")
        meant = field["initial"] if defaults and field["name"] not in required else None
        assert (default or None) == (meant or None) or default == meant, f"{where}: {default} instead of {meant}"


def facts_of(schema):
    """Returns the part of a schema that a table can say too: without anyOf null, descriptions and defaults."""
    schema = dict(document.merged(schema))
    null = False
    if "anyOf" in schema:
        schema = dict(document.merged(schema["anyOf"][0]))
        null = True
    types = schema.pop("type")
    if isinstance(types, list):
        null = types[1:] == ["null"]
        types = types[0]
    facts = {"type": types, "null": null}
    for name, value in schema.items():
        if name == "items":
            facts["items"] = {key: inner for key, inner in facts_of(value).items() if key != "null"}
        elif name not in ("description", "default", "examples"):
            facts[name] = value
    if types == "array" and facts.get("items", {}).get("type") == "object":
        facts["items"] = "object"
    return facts


def named(name):
    """Returns the facts of a component."""
    return {key: value for key, value in facts_of(document.tree["components"]["schemas"][name]).items()
            if key != "null"}


def bounds(least, field, most):
    """Returns the limits, without a minimum of 0 where 0 is the lowest possible value."""
    found = {most: field["max"]}
    if field["min"] or least == "minimum":
        found[least] = field["min"]
    return found


def decimals(field):
    return {"type": "number", "minimum": field["min"] / 10000, "maximum": field["max"] / 10000}


def array(items, field, unique=True, most=True):
    found = {"type": "array", "items": items}
    if unique:
        found["uniqueItems"] = True
    if field["min"]:
        found["minItems"] = field["min"]
    if most:
        found["maxItems"] = field["max"]
    return found


EXPECTED = {
    "string": lambda field: {"type": "string"} | bounds("minLength", field, "maxLength"),
    "int": lambda field: {"type": "integer"} | bounds("minimum", field, "maximum"),
    "decimal": decimals,
    "bool": lambda field: {"type": "boolean"},
    "choice": lambda field: {"type": "string", "enum": field["choices"]},
    "choices": lambda field: array({"type": "string", "enum": field["choices"]}, field, most=False),
    "weekdays": lambda field: array({"type": "integer", "minimum": 1, "maximum": 7}, dict(field, min=1), most=False),
    "id": lambda field: named("IdInput"),
    "ids": lambda field: array(named("IdInput"), field),
    "phone": lambda field: named("PhoneNumber"),
    "phones": lambda field: array(named("PhoneNumber"), field, unique=False),
    "time": lambda field: named("TimeOfDay"),
    "when": lambda field: named("InstantInput"),
    "dates": lambda field: array({"type": "string", "format": "date"}, field),
    "object": lambda field: {"type": "object", "additionalProperties": True, "x-max-bytes": field["max"]},
    "records": lambda field: array("object", field, unique=False),
}


def test_errors_match_the_table_and_nginx():
    nginx = re.search(r"\$outdial_error_code \{(.*?)\}", read("nginx/outdial.conf"), re.S)[1]
    codes = set(probe["errors"]) | set(re.findall(r"(\w+);", nginx))
    written = document.tree["components"]["schemas"]["ErrorCode"]["enum"]
    assert set(written) == codes and len(set(written)) == len(written), set(written) ^ codes
    examples = {code for response in document.tree["components"]["responses"].values()
                for code in response.get("content", {}).get("application/json", {}).get("examples", ())}
    assert codes - examples == {"method_not_allowed"}, codes - examples


def test_enums_match_the_sources():
    events = re.search(r"event_names\[.*?\{(.*?)\}", read("src/domain/event.c"), re.S)[1]
    assert schema_of("EventType")["enum"] == re.findall(r'"([\w.]+)"', events)
    assert list(document.tree["webhooks"]) == re.findall(r'"([\w.]+)"', events)
    scopes = re.search(r"scope_names\[.*?\{(.*?)\}", read("src/domain/scope.c"), re.S)[1]
    for schema, names in (("AuditObject", "audit_object_names"), ("AuditAction", "audit_action_names")):
        audited = re.search(names + r"\[.*?\{(.*?)\}", read("src/store/audit_store.c"), re.S)[1]
        assert schema_of(schema)["enum"] == re.findall(r'"(\w+)"', audited), schema
    assert schema_of("Scope")["enum"] == re.findall(r'"(\w+)"', scopes)


def test_the_words_of_gates_match_their_table():
    source = read("src/domain/gate.c")
    names = re.findall(r'\[GATE_\w+\] = \{ "(\w+)"', source)
    assert schema_of("GateName")["enum"] == names
    table = read("docs/api.md").split("| `gate` | is closed |\n|---|---|\n")[1].split("\n\n")[0]
    documented = [name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1])]
    assert documented == names, documented
    facts = set(re.findall(r'\b(?:FACT|DETAIL)\(\w+, "(\w+)"', source))
    for text in (source, read("src/domain/calendar_json.c")):
        facts |= set(re.findall(r'\b(?:json|write|calendar_write)_\w+\(json, "(\w+)"', text))
    assert set(schema_of("GateFacts")["properties"]) == facts, set(schema_of("GateFacts")["properties"]) ^ facts


def schema_of(name):
    return document.tree["components"]["schemas"][name]


def test_the_version_is_ours():
    assert document.tree["info"]["version"] == re.search(r"AC_INIT\(\[outdial\], \[(.*?)\]", read("configure.ac"))[1]


def test_examples_are_what_their_schemas_say():
    count = 0
    for schema, value, at in examples(document.tree, ""):
        faults = document.faults(value, schema)
        assert not faults, f"{at}: {faults}"
        count += 1
    assert count > 60, count


def examples(node, at):
    """Yields (schema, example, location) of every example in the document."""
    if isinstance(node, list):
        for index, item in enumerate(node):
            yield from examples(item, f"{at}[{index}]")
    if not isinstance(node, dict):
        return
    if "schema" in node:
        values = [node["example"]] if "example" in node else []
        values += [example["value"] for example in node.get("examples", {}).values()]
        for value in values:
            yield node["schema"], value, at
    elif isinstance(node.get("examples"), list):
        for value in node["examples"]:
            yield node, value, at
    for key, inner in node.items():
        if key not in ("example", "examples"):
            yield from examples(inner, f"{at}/{key}")


def test_bodies_and_resources_have_examples():
    for operation in document.operations:
        for content in operation.body["content"].values() if operation.body else ():
            empty = document.merged(content["schema"]).get("properties", {}) == {}
            assert "example" in content or "file" in document.merged(content["schema"]).get("properties", {}) \
                or empty, \
                operation
    for name in ("Webhook", "Delivery", "Agent", "Number", "Folder", "Contact", "BatchCall", "Explanation", "Call",
                 "Organization"):
        assert schema_of(name)["examples"], name


def test_a_public_linter_finds_nothing():
    try:
        place = npm.folder(BUILD, "openapi")
    except npm.Missing as reason:
        raise checks.Skip(reason)
    result = npm.node(place, "lint.mjs", FILE)
    assert result.returncode == 0, result.stdout + result.stderr


if __name__ == "__main__":
    checks.run(globals())
