#!/usr/bin/env python3
"""Compares the reader of JSON with Python's reader, by random texts, most of which have a fault. JSON must be returned
with the same values, and any other text must be refused. --suite FOLDER reads the files of JSONTestSuite's
test_parsing, too. Prints TAP."""

import argparse
import json
import os
import random
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROBE = os.path.join(ROOT, os.environ.get("OUTDIAL_BUILD", "build"), "tests", "unit", "json_probe")
DEPTH = 32
NUMBER_MAX = 512


def ask(bodies):
    """Returns the probe's answer to each body."""
    asked = b"".join(b"%d\n%s" % (len(body), body) for body in bodies)
    answers = subprocess.run([PROBE], input=asked, capture_output=True, check=True).stdout.split(b"\0")[:-1]
    assert len(answers) == len(bodies), (len(answers), len(bodies))
    return answers


def wrapped(text):
    return b'{"data":{"x":' + text + b"}}"


class NotJson(ValueError):
    pass


class NoValue(ValueError):
    """Returns whether the text is JSON with a value that cannot be stored."""


def read_int(text):
    if not -2 ** 63 <= int(text) < 2 ** 63 or len(text) > NUMBER_MAX:
        raise NoValue(text)
    return int(text)


def read_float(text):
    if float(text) in (float("inf"), float("-inf")) or len(text) > NUMBER_MAX:
        raise NoValue(text)
    return float(text)


def refuse_constant(text):
    raise NotJson(text)


def members(pairs):
    if len({key for key, _ in pairs}) < len(pairs):
        raise NoValue("a key twice")
    return dict(pairs)


def texts(value):
    if isinstance(value, dict):
        for key, member in value.items():
            yield key
            yield from texts(member)
    elif isinstance(value, list):
        for element in value:
            yield from texts(element)
    elif isinstance(value, str):
        yield value


def depth_of(value):
    if isinstance(value, (dict, list)):
        return 1 + max((depth_of(inner) for inner in (value.values() if isinstance(value, dict) else value)), default=0)
    return 0


def expected(body):
    """Returns "ok" and the value, "invalid", or "bad"."""
    try:
        text = body.decode()
        loose = json.loads(text, parse_constant=refuse_constant)
        for inner in texts(loose):
            inner.encode()  # Python accepts halves of surrogate pairs, which UTF-8 cannot express
    except (ValueError, RecursionError):
        return "bad", None
    if depth_of(loose) > DEPTH:
        return "bad", None
    if not isinstance(loose, dict):
        return "bad", None
    try:
        value = json.loads(text, parse_constant=refuse_constant, parse_int=read_int, parse_float=read_float,
                           object_pairs_hook=members)
        if any("\0" in inner for inner in texts(loose)):
            raise NoValue("NUL")
    except NoValue:
        return "invalid", None
    if set(value) - {"data"} or not isinstance(value.get("data", {}), dict):
        return "invalid", None
    return "ok", value.get("data")


def judge(body, answer):
    want, value = expected(body)
    got, _, rest = answer.partition(b" ")
    assert got.decode() == want, (body[:300], answer[:300], want)
    if want == "ok" and value is not None:
        back = json.loads(rest)
        assert json.dumps(back) == json.dumps(value), (body[:300], rest[:300])


# Random texts

PIECES = ["{", "}", "[", "]", ",", ":", '"', "\\", "\\u", "\\ud83d", "\\ude00", "\\u0000", "\\u00e4", "\\n", "\\x", "/",
          "0", "1", "-", "+", ".", "e", "E", "e400", "9" * 20, "0.1", "-0", "true", "false", "null", "nul", "NaN",
          "Infinity", " ", "\t", "\n", "\r", "\x0b", "\xa0", "\ufeff", "ä", "😀", "\x00", "\x1f", "\x7f", "a", '"a"',
          '"a":1']


def random_text(dice):
    return "".join(chr(dice.choice([dice.randrange(0x20, 0x7f), dice.randrange(0xa0, 0x800), 0x1f600, 0x22, 0x5c,
                                    0x0a]))
                   for _ in range(dice.randrange(6)))


def random_value(dice, depth=0):
    kind = dice.randrange(8 if depth < 5 else 6)
    if kind == 0:
        return dice.choice([None, True, False])
    if kind == 1:
        return dice.choice([0, -1, 10 ** 18, 2 ** 63 - 1, -2 ** 63, dice.randrange(10 ** 6)])
    if kind == 2:
        return dice.choice([0.1, 1e300, -1.5e-7, 19.99, 1e15])
    if kind < 6:
        return random_text(dice)
    if kind == 6:
        return [random_value(dice, depth + 1) for _ in range(dice.randrange(5))]
    return {random_text(dice): random_value(dice, depth + 1) for _ in range(dice.randrange(5))}


def random_body(dice):
    value = {"data": {"x": random_value(dice)}}
    text = json.dumps(value, ensure_ascii=dice.random() < 0.5, indent=dice.choice([None, None, 1]))
    for _ in range(dice.choice([0, 1, 1, 2])):
        at = dice.randrange(len(text) + 1)
        text = text[:at] + dice.choice(PIECES) + text[at + dice.randrange(3):]
    body = text.encode()
    if dice.random() < 0.1:
        at = dice.randrange(len(body))
        body = body[:at] + bytes([dice.randrange(256)]) + body[at + dice.randrange(2):]
    return body


def test_random_texts(options):
    dice = random.Random(options.seed)
    bodies = [random_body(dice) for _ in range(options.count)]
    counts = {}
    for body, answer in zip(bodies, ask(bodies)):
        if body.strip(b" \t\r\n") == b"":
            continue  # an empty body counts as {}
        judge(body, answer)
        verdict = answer.split(b" ")[0]
        counts[verdict] = counts.get(verdict, 0) + 1
    assert all(counts.get(verdict, 0) > options.count / 100 for verdict in (b"ok", b"bad", b"invalid")), counts


def test_bounds(options):
    deep = lambda depth: wrapped(b"[" * depth + b"]" * depth)
    digits = lambda count: wrapped(b"0." + b"1" * (count - 2))
    for body, verdict in ((deep(DEPTH - 2), b"ok"), (deep(DEPTH - 1), b"bad"), (deep(100_000), b"bad"),
                          (b"[" * 100_000, b"bad"), (digits(NUMBER_MAX), b"ok"), (digits(NUMBER_MAX + 1), b"invalid"),
                          (wrapped(b"1" * 1_000_000), b"invalid"), (wrapped(b"1e-999999"), b"ok"),
                          (wrapped(b"9223372036854775807"), b"ok"), (wrapped(b"9223372036854775808"), b"invalid"),
                          (wrapped(b'"' + b"\\" * 100_000), b"bad"), (wrapped(b'"' + b"x" * 1_000_000 + b'"'), b"ok")):
        answer, = ask([body])
        assert answer.split(b" ")[0] == verdict, (body[:60], answer[:100])


def test_the_public_suite(options):
    if not options.suite:
        return
    names = sorted(name for name in os.listdir(options.suite) if name.endswith(".json"))
    texts = [open(os.path.join(options.suite, name), "rb").read() for name in names]
    assert len(names) > 200, "it is not the folder test_parsing"
    for name, text, bare, inner in zip(names, texts, ask(texts), ask([wrapped(text) for text in texts])):
        is_empty = text.strip(b" \t\r\n") == b""
        says_json = not bare.startswith(b"bad") or b"is JSON, but not an object" in bare
        if name.startswith("y_"):
            twice = "duplicated_key" in name or "duplicate_keys" in name
            nul = b"\\u0000" in text
            assert says_json and (inner.startswith(b"ok ") or twice or nul), (name, bare, inner)
        elif name.startswith("n_"):
            assert inner.startswith(b"bad ") and (bare.startswith(b"bad ") and not says_json
                                                  or is_empty), (name, bare, inner)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=20000)
    parser.add_argument("--suite", help="the folder test_parsing of JSONTestSuite")
    options = parser.parse_args()
    tests = [(name, test) for name, test in globals().items() if name.startswith("test_")]
    print(f"1..{len(tests)}")
    for number, (name, test) in enumerate(tests, 1):
        try:
            test(options)
            print(f"ok {number} - {name}")
        except AssertionError as error:
            print(f"not ok {number} - {name}\n# {error}")
            raise SystemExit(1)


if __name__ == "__main__":
    main()
