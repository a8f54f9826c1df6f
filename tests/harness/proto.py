"""Protobuf messages as lists of (field number, value), enough for RPC tests."""


def varint(value):
    value &= 0xFFFFFFFFFFFFFFFF
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def encode(*fields):
    """encode((1, "text"), (3, 5)): text and bytes as such, integers and bools as varints."""
    out = b""
    for number, value in fields:
        if isinstance(value, (str, bytes)):
            data = value.encode() if isinstance(value, str) else value
            out += varint(number << 3 | 2) + varint(len(data)) + data
        else:
            out += varint(number << 3) + varint(int(value))
    return out


def decode(data):
    """{number: [values]}: bytes for what has a length and for fixed32, else integers."""
    fields = {}
    at = 0

    def read():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        key = read()
        if key & 7 == 0:
            value = read()
        else:
            size = {2: read, 5: lambda: 4, 1: lambda: 8}[key & 7]()
            value = data[at:at + size]
            assert len(value) == size, data
            at += size
        fields.setdefault(key >> 3, []).append(value)
    return fields
