#!/usr/bin/env python3
"""How many helpers of a pool have an interest, read from Redis alone: what docs/redis.md says, put to use.

    read_postings.py PORT POOL INTEREST [PREFIX]
"""
import ctypes
import ctypes.util
import socket
import struct
import sys


def command(connection, *arguments):
    """One command and its reply: bytes, an integer, None or a list."""
    encoded = [a if isinstance(a, bytes) else a.encode() for a in arguments]
    connection.write(b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%s\r\n" % (len(a), a) for a in encoded))
    connection.flush()
    return reply(connection)


def reply(connection):
    line = connection.readline().rstrip(b"\r\n")
    kind, rest = line[:1], line[1:]
    if kind == b"$":
        return None if rest == b"-1" else connection.read(int(rest) + 2)[:-2]
    if kind == b"*":
        return [reply(connection) for _ in range(int(rest))]
    if kind == b":":
        return int(rest)
    if kind == b"-":
        sys.exit("Redis: " + rest.decode())
    return rest


def unpack(block, size):
    if block[0] == 0:
        return block[1:]
    zstd = ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so.1")
    zstd.ZSTD_decompress.restype = ctypes.c_size_t
    plain = ctypes.create_string_buffer(size)
    if zstd.ZSTD_decompress(plain, ctypes.c_size_t(size), block[1:], ctypes.c_size_t(len(block) - 1)) != size:
        sys.exit("a block cannot be unpacked")
    return plain.raw


def main():
    port, pool, interest = sys.argv[1:4]
    prefix = sys.argv[4] if len(sys.argv) > 4 else "warmline"
    connection = socket.create_connection(("127.0.0.1", int(port))).makefile("rwb")
    fields = command(connection, "HGETALL", f"{prefix}:{{{pool}}}:manifest")
    manifest = dict(zip(fields[::2], fields[1::2]))
    sections = {}
    for line in manifest[b"pieces"].decode().splitlines():
        section, segment, _, size, digest = line.split()
        block = command(connection, "GET", f"{prefix}:block:{pool}:{digest}")
        key = (section, int(segment))
        sections[key] = sections.get(key, b"") + unpack(block, int(size))

    names, at = [], 0
    terms = sections[("terms", 0)]
    while at < len(terms):
        (length,) = struct.unpack_from("<I", terms, at)
        names.append(terms[at + 4:at + 3 + length].decode() if length else "")  # 0: forgotten
        at += 3 + max(length, 1)
    term = names.index(interest)

    helpers = 0
    for (section, segment), slots in sections.items():
        if section != "posting_slots" or len(slots) < 4 * (term + 1):
            continue
        (slot,) = struct.unpack_from("<I", slots, 4 * term)
        if slot == 0xFFFFFFFF:
            continue
        begin, size, chunk_begin, chunks, _ = struct.unpack_from("<QIIII", sections[("posting_lists", segment)], 24 * slot)
        deaths = sections[("deaths", segment)]
        starts = [struct.unpack_from("<II", sections[("posting_chunks", segment)], 8 * (chunk_begin + c)) for c in range(chunks)]
        for i, (number, first) in enumerate(starts):
            last = starts[i + 1][1] if i + 1 < chunks else size
            for posting in range(first, last):
                (within,) = struct.unpack_from("<H", sections[("postings", segment)], 3 * (begin + posting))
                document = number * 65536 + within
                helpers += not deaths[document // 8] >> (document % 8) & 1
    print(helpers)


if __name__ == "__main__":
    main()
