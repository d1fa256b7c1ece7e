#!/usr/bin/env python3
"""Verifies a ledger from `outdial ledger export` or GET /ledger.jsonl, without Outdial and without its database.

    verify.py FILE [--head SEQ:HASH]

Prints the decisions that the file reveals, one a line, and at the end the head of the chain. Fails if a decision was
changed, moved or removed. A head that was kept elsewhere (from the log, or from an earlier run) must be in the
chain."""

import argparse
import hashlib
import json
import sys


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def person_of(decision):
    """The hash alone where the person was erased."""
    return decision["person"] if "person" in decision else sha256(decision["salt"] + decision["number"])


def digest_of(decision):
    """Decisions that were not selected are in the file as digests."""
    return decision if isinstance(decision, str) else sha256(decision["what"] + "\n" + person_of(decision))


def verify_block(block, before):
    if before is not None:
        assert block["seq"] == before["seq"] + 1, f"block {before['seq'] + 1} is missing"
        assert block["prev"] == before["hash"], f"block {block['seq']} does not follow block {before['seq']}"
    if "decisions" in block:
        body = sha256("".join(digest_of(decision) + "\n" for decision in block["decisions"]))
        assert body == block["body"], f"decisions of block {block['seq']} were changed"
    link = sha256("\n".join([block["prev"], str(block["seq"]), block["sealed_at"], block["body"]]))
    assert link == block["hash"], f"block {block['seq']} is not as it was sealed"


def show(block):
    for decision in block.get("decisions", []):
        if not isinstance(decision, str):
            print(decision.get("number") or "-", decision["what"])


def verify(lines, noted):
    before, met = None, noted is None
    for line in lines:
        if line.isspace():
            continue
        block = json.loads(line)
        verify_block(block, before)
        if noted is not None and block["seq"] == int(noted.partition(":")[0]):
            met = True
            assert f"{block['seq']}:{block['hash']}" == noted, f"block {block['seq']} has another hash than was noted"
        show(block)
        before = block
    assert met, f"the head {noted} is not in the chain"
    print("sound, head", f"{before['seq']}:{before['hash']}" if before else "none")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=argparse.FileType(encoding="utf-8"))
    parser.add_argument("--head")
    options = parser.parse_args()
    try:
        verify(options.file, options.head)
    except AssertionError as fault:
        sys.exit(f"BROKEN: {fault}")
