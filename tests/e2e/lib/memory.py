"""What a live process holds in its memory."""

import base64
import re
import struct

CHUNK_BYTES = 1 << 16
NEEDLE_BYTES = 16


def texts(secret):
    """What gives away a 32-byte secret in writing: parts of it in hex and in base64."""
    return _parts(secret.hex().encode()) + _parts(base64.b64encode(secret)[:-4])


def traces(secret):
    """What gives it away anywhere: that, its halves, and each of its words four times over, which is
    how it looks in a vector register."""
    words = [struct.pack("<I", word) * 4 for word in struct.unpack("<8I", secret)]
    return texts(secret) + _parts(secret) + words


def _parts(form):
    return [form[at:at + NEEDLE_BYTES] for at in range(0, len(form) - NEEDLE_BYTES + 1, NEEDLE_BYTES)]


def regions(pid):
    """(start, end, name) of everything that a key could have been written to."""
    with open(f"/proc/{pid}/maps") as maps:
        for line in maps:
            bounds, rights, *_, name = (line.rstrip("\n") + " ").split(" ", 5)
            if rights.startswith("rw"):
                start, end = (int(bound, 16) for bound in bounds.split("-"))
                yield start, end, name.strip()


def flags(pid):
    """(name, flags) of the same (VmFlags in proc(5))."""
    with open(f"/proc/{pid}/smaps") as smaps:
        name = None
        for line in smaps:
            words = line.split()
            if "-" in words[0]:
                name = " ".join(words[5:]) or words[0] if words[1].startswith("rw") else None
            elif words[0] == "VmFlags:" and name:
                yield name, words[1:]


def find(pid, secrets, forms=traces):
    """Where `secrets`, {name: 32 bytes}, are in the memory of `pid`: a list of (name, place)."""
    needles = {needle: name for name, secret in secrets.items() for needle in forms(secret)}
    pattern = re.compile(b"|".join(re.escape(needle) for needle in needles))
    found = []
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for start, end, region in regions(pid):
            for address, content in _read(memory, start, end):
                if content.count(0) == len(content):
                    continue        # never touched, most likely
                found += [(needles[match[0]], f"{address + match.start():x} {region}")
                          for match in pattern.finditer(content)]
    return found


def _read(memory, start, end):
    """(address, bytes) of a region in pieces that overlap, since a needle may lie across."""
    for at in range(start, end, CHUNK_BYTES):
        size = min(CHUNK_BYTES + NEEDLE_BYTES, end - at)
        memory.seek(at)
        try:
            yield at, memory.read(size)
        except OSError:             # a guard page, or memory that went meanwhile
            return
