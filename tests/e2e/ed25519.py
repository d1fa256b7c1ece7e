"""Verifies an ed25519 signature exactly as in RFC 8032, slowly, as an independent check for tests."""

import base64
import hashlib

P = 2 ** 255 - 19
ORDER = 2 ** 252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT = pow(2, (P - 1) // 4, P)  # of -1


def x_of(y, odd):
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P or (x == 0 and odd):
        raise ValueError("no point of the curve")
    return P - x if x % 2 != odd else x


def point(data):
    number = int.from_bytes(data, "little")
    y = number % 2 ** 255
    return x_of(y, number >> 255), y


def add(a, b):
    product = D * a[0] * b[0] * a[1] * b[1]
    return ((a[0] * b[1] + a[1] * b[0]) * pow(1 + product, -1, P) % P,
            (a[1] * b[1] + a[0] * b[0]) * pow(1 - product, -1, P) % P)


def times(factor, a):
    result = (0, 1)
    while factor:
        if factor & 1:
            result = add(result, a)
        a, factor = add(a, a), factor >> 1
    return result


BASE = (x_of(4 * pow(5, -1, P) % P, 0), 4 * pow(5, -1, P) % P)


def fits(public_key, message, signature):
    """public_key: 32 bytes; signature: 64."""
    if len(public_key) != 32 or len(signature) != 64:
        return False
    scalar = int.from_bytes(signature[32:], "little")
    hashed = hashlib.sha512(signature[:32] + public_key + message).digest()
    factor = int.from_bytes(hashed, "little") % ORDER
    try:
        right = add(point(signature[:32]), times(factor, point(public_key)))
    except ValueError:
        return False
    return scalar < ORDER and times(scalar, BASE) == right


def fits_text(public_key, message, signature):
    """public_key: whpk_…; signature: v1a,…"""
    return fits(base64.b64decode(public_key.removeprefix("whpk_"), validate=True), message,
                base64.b64decode(signature.removeprefix("v1a,"), validate=True))
