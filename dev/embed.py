"""Makes C of docs/openapi.yaml: the document as JSON, for src/api/openapi.h. Usage: embed.py FILE > FILE.c"""

import json
import re
import sys

try:
    import yaml
except ImportError:
    sys.exit("embed: Python's YAML is missing (Debian package python3-yaml)")

WIDTH = 96
ESCAPE_OR_CHARACTER = re.compile(rb'\\.|[^\\][\x80-\xbf]*', re.DOTALL)


def literals(text):
    """Returns the text as adjacent C string literals. No escape and no character is cut in two."""
    escaped = text.encode().replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"?", b"\\?")
    line = b""
    for piece in ESCAPE_OR_CHARACTER.findall(escaped):
        if len(line) + len(piece) > WIDTH:
            yield line
            line = b""
        line += piece
    yield line


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        document = yaml.safe_load(file)
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    out = sys.stdout.buffer
    out.write(b'/* Made from docs/openapi.yaml by dev/embed.py. */\n#include "api/openapi.h"\n\n'
              b"const char openapi_document[] =\n")
    out.writelines(b'\t"' + line + b'"\n' for line in literals(text))
    out.write(b"\t;\n\nconst size_t openapi_document_len = sizeof openapi_document - 1;\n")


if __name__ == "__main__":
    main()
