"""Messages for a fuzzer: of any type of the API, valid in structure and hostile in values, and bytes that are no message at all."""
import collections

from good_requests import good
from google.protobuf.descriptor import FieldDescriptor as F

MAX_DEPTH = 6
NUMBERS = (0, 1, -1, 2, 7, 10, 100, 101, 1000, 1001, 10_000, 10_001, 2**31 - 1, -2**31, 2**32 - 1, 2**53, 2**63 - 1, -2**63, 2**64 - 1)
REALS = (0.0, -0.0, 1.0, 0.5, -1.0, 1e-320, 1e-9, 1.0000001, 1e9, 1e308, -1e308, float("inf"), float("-inf"), float("nan"))
TEXTS = ("", " ", "a", "A" * 64, "A" * 65, "x" * 5000, "é" * 100, "\u202e\u2066", "a\0b", "a\nb", "\ufeffx", "ﷺ" * 50, "💥" * 40, "' OR 1=1 --", "../../etc/passwd", "%s%n%x",
         "pools/", "pools/city/", "pools/city/members/", "pools/*/members/*", "pools/city/members/../x", "pools/CITY", "skill:sql", ":", "skill:", ":sql", "a:b:c", "skill:" + "s" * 200,
         "word:x", "2026-11-27T00:00:00Z", "https://example.org/" + "p" * 600, "javascript:alert(1)", "{}", "\\", "\"", "ß", "İ", "Ǆ", "e\u0301" * 30, "\ud7ff\ue000")
# What the sample community has, so that many messages get past the first check.
KNOWN = ("pools/city", "pools/city/members/amina-haddad", "pools/city/members/joost-bakker", "pools/city/members/ingrid-visser", "pools/city/members/nieuwe-start",
         "pools/city/needs/amina-first-job", "amina-haddad", "nieuwe-start", "amina-first-job", "pools/kept", "pools/nowhere", "skill:triage", "profession:registered nurse",
         "pools/city/introductions/1", "en", "nl", "nl/rotterdam")


class Maker:
    """Makes messages; what the server answered (names, tokens, revisions) is remembered and used again."""

    REMEMBERED = 400
    INTRODUCTIONS = 20

    def __init__(self, chance, api):
        self.chance, self.api, self.seen = chance, api, list(KNOWN)
        self.introductions = collections.deque(["pools/city/introductions/1"], maxlen=self.INTRODUCTIONS)

    def remember(self, message):
        for _, value in texts_of(message, 0):
            if "/introductions/" in value:
                self.introductions.append(value)  # few, and every move needs one
            elif len(value) <= 500:
                if len(self.seen) < self.REMEMBERED:
                    self.seen.append(value)
                else:
                    self.seen[self.chance.randrange(len(KNOWN), self.REMEMBERED)] = value

    def text(self):
        roll = self.chance.random()
        if roll < 0.6:
            return self.chance.choice(self.seen)
        if roll < 0.9:
            return self.chance.choice(TEXTS)
        known = list(self.chance.choice(self.seen) or "x")
        for _ in range(self.chance.randint(1, 3)):
            known[self.chance.randrange(len(known))] = chr(self.chance.choice((0, 47, 65, 97, 233, 0x4E2D, 0x1F4A5)))
        return "".join(known)

    def value(self, field):
        kind = field.cpp_type
        if kind == F.CPPTYPE_STRING:
            text = self.text()
            return text.encode() if field.type == F.TYPE_BYTES else text
        if kind in (F.CPPTYPE_DOUBLE, F.CPPTYPE_FLOAT):
            return self.chance.choice(REALS)
        if kind == F.CPPTYPE_BOOL:
            return self.chance.random() < 0.5
        if kind == F.CPPTYPE_ENUM:
            return self.chance.choice([v.number for v in field.enum_type.values] * 5 + [-1, 99, 2**31 - 1])
        number = self.chance.choice(NUMBERS + (self.chance.randint(0, 50),) * 10)
        low, high = {F.CPPTYPE_INT32: (-2**31, 2**31 - 1), F.CPPTYPE_INT64: (-2**63, 2**63 - 1), F.CPPTYPE_UINT32: (0, 2**32 - 1), F.CPPTYPE_UINT64: (0, 2**64 - 1)}[kind]
        return min(max(number, low), high)

    def count(self, depth):
        few = self.chance.choice((0, 1, 1, 2, 3))
        return self.chance.choice((few,) * 30 + (201, 300)) if depth < 3 else few

    def fill(self, message, depth=0, most=0.85):
        """Fills most fields; `actor` and `parent` nearly always, or nothing gets past them."""
        for field in message.DESCRIPTOR.fields:
            wanted = 0.97 if field.name in ("actor", "parent", "name", "audience") else most / (1 + 0.3 * depth)
            if self.chance.random() > wanted:
                continue
            if field.label == F.LABEL_REPEATED:
                self.fill_list(message, field, depth)
            elif field.cpp_type == F.CPPTYPE_MESSAGE:
                if depth < MAX_DEPTH:
                    self.fill(getattr(message, field.name), depth + 1, most)
                    getattr(message, field.name).SetInParent()
            elif field.name == "parent" and self.chance.random() < 0.9:
                message.parent = "pools/city"
            elif field.name == "audience" and self.chance.random() < 0.5:
                message.audience = 4
            else:
                setattr(message, field.name, self.value(field))
        return message

    def fill_list(self, message, field, depth):
        target = getattr(message, field.name)
        if field.message_type and field.message_type.GetOptions().map_entry:
            for _ in range(self.count(depth)):
                key = self.value(field.message_type.fields_by_name["key"])
                if field.message_type.fields_by_name["value"].cpp_type == F.CPPTYPE_MESSAGE:
                    self.fill(target[key], depth + 1)
                else:
                    target[key] = self.value(field.message_type.fields_by_name["value"])
        elif field.cpp_type == F.CPPTYPE_MESSAGE:
            for _ in range(self.count(depth) if depth < MAX_DEPTH else 0):
                self.fill(target.add(), depth + 1)
        else:
            target.extend(self.value(field) for _ in range(self.count(depth)))

    def request(self, kind):
        """Mostly a good request with few hostile fields; sometimes all fields at random."""
        if self.chance.random() < 0.25 or not (fields := good(kind.DESCRIPTOR.name, self.chance, self.introductions)):
            return self.fill(kind(), most=self.chance.choice((0.3, 0.6, 0.9)))
        message = kind(**fields)
        for _ in range(self.chance.choice((0, 0, 1, 1, 2, 3))):
            self.spoil(message)
        return message

    def spoil(self, message, depth=0):
        """Gives one field, somewhere below, another value or none."""
        fields = list(message.DESCRIPTOR.fields)
        field = self.chance.choice(fields) if fields else None
        if field is None or (field.name in ("actor", "parent") and self.chance.random() < 0.7):
            return
        if field.label == F.LABEL_REPEATED:
            present = getattr(message, field.name)
            if present and field.cpp_type == F.CPPTYPE_MESSAGE and not field.message_type.GetOptions().map_entry and self.chance.random() < 0.7:
                self.spoil(self.chance.choice(present), depth + 1)
            else:
                self.fill_list(message, field, depth)
        elif field.cpp_type == F.CPPTYPE_MESSAGE:
            if message.HasField(field.name) and self.chance.random() < 0.8:
                self.spoil(getattr(message, field.name), depth + 1)
            elif depth < MAX_DEPTH:
                self.fill(getattr(message, field.name), depth + 1)
        elif self.chance.random() < 0.2:
            message.ClearField(field.name)
        else:
            setattr(message, field.name, self.value(field))

    def bytes(self, message):
        """The message's bytes, and often something else: fields of another type, cut, flipped, text that is not UTF-8, deep nesting."""
        data = message.SerializeToString()
        roll = self.chance.random()
        if roll < 0.75:
            return data
        if roll < 0.8 and data:
            changed = bytearray(data)
            for _ in range(self.chance.choice((1, 2, 5))):
                changed[self.chance.randrange(len(changed))] ^= 1 << self.chance.randrange(8)
            return bytes(changed)
        if roll < 0.84:
            return data[:self.chance.randint(0, len(data))]
        fields = [f.number for f in message.DESCRIPTOR.fields] or [1]
        number = self.chance.choice(fields + [0, 15, 16, 536870911])
        wire = self.chance.choice((0, 1, 2, 3, 4, 5, 6, 7))
        tag = varint(number << 3 | wire)
        body = self.chance.choice((b"\xff" * 9 + b"\x01", b"\xff" * 10, bytes(8), b"\x05ab", b"\x03\xff\xfe\xfd", varint(2**31) + b"x", varint(2**63), b"", b"\x02\xc3\x28", b"\x04\xed\xa0\x80\x00"))
        if roll < 0.96:
            return data + (tag + body) * self.chance.choice((1, 1, 1, 1000))
        deep = b""
        for _ in range(150):
            deep = varint(self.chance.choice(fields) << 3 | 2) + varint(len(deep)) + deep
        return self.chance.choice((deep, data + deep, self.chance.randbytes(self.chance.randint(1, 400)), tag * 5000))


def varint(value):
    out = bytearray()
    while value >= 128:
        out.append(value % 128 | 128)
        value //= 128
    out.append(value)
    return bytes(out)


def texts_of(message, depth):
    if depth > MAX_DEPTH:
        return
    for field, value in message.ListFields():
        values = value if field.label == F.LABEL_REPEATED else [value]
        if field.message_type and field.message_type.GetOptions().map_entry:
            continue
        for one in list(values)[:20]:
            if field.cpp_type == F.CPPTYPE_MESSAGE:
                yield from texts_of(one, depth + 1)
            elif field.type == F.TYPE_STRING:
                yield field.name, one
