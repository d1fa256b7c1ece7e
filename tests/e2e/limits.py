"""Tables of field values that are just right and just wrong, and a function that tries all of them."""

import json

BIG_OBJECT = "x" * 70_000


def text(least, most, **rest):
    """Returns a string with this many characters (not bytes)."""
    right = ["x" * max(least, 1), "ä" * most, "😀" * most] + ([""] if least == 0 else [])
    wrong = ["ä" * (most + 1), 5, True, ["x"], {}] + ([""] if least > 0 else [])
    return dict({"right": right, "wrong": wrong}, **rest)


def whole(least, most):
    return {"right": [least, most], "wrong": [least - 1, most + 1, -10 ** 30, 10 ** 30, str(least),
                                              least + 0.5, True, [least]]}


def choice(*names):
    return {"right": list(names), "wrong": ["", names[0].upper(), names[0] + " ", "nonsense", 1, [names[0]]]}


def flag():
    return {"right": [True, False], "wrong": [0, 1, "true", []]}


def obj():
    return {"right": [{}, {"a": {"b": [1, None, "x"]}}], "wrong": [[], "x", 5, True, {"a": BIG_OBJECT}]}


def nullable(limits):
    return dict(limits, right=limits["right"] + [None])


def strict(limits):
    """Null is as wrong as any value of another type."""
    return dict(limits, wrong=limits["wrong"] + [None])


def try_all(api, method, path, base, table, read=lambda reply: reply.data, shown=None):
    """Sends `base` with one field after the other set to each value. A right value must come back as it was sent; a
    wrong value must be refused with the field's name. Returns how many values were accepted."""
    taken = 0
    for field, limits in table.items():
        for value in limits["right"]:
            reply = api.send(method, path, dict(base, **{field: value}))
            assert reply.status in (200, 201), f"{field} = {short(value)}: {reply}"
            back = read(reply).get(field, "absent")
            assert back == value or (not back and not value), f"{field} = {short(value)}: {back!r}"
            taken += 1
        for value in limits["wrong"]:
            reply = api.send(method, path, dict(base, **{field: value}))
            assert reply.status == 422, f"{field} = {short(value)}: {reply}"
            named = reply.details["field"]
            assert named == field or named.startswith((field + "[", field + ".")), f"{short(value)}: {reply}"
            assert ", ," not in reply.details["reason"], reply
    return taken


def short(value):
    value = json.dumps(value)
    return value if len(value) < 60 else f"{value[:50]}… ({len(value)} characters)"
