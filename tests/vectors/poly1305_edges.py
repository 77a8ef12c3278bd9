#!/usr/bin/env python3
"""Writes src/core/crypto/poly1305_edges_testing.h: messages whose Poly1305 sum is an edge case.

Random messages hit the values where a final reduction or a carry can go wrong once in 2^128 times.
For a key and counter, r is known, so that one block of a ciphertext can be solved for: all other
bytes are ff, which fills the limbs as far as they go, and the last block makes the sum before the
final reduction congruent to the target. A solution must be below 2^128; the counter is raised until
one is. Needs python3-cryptography. Run it from the root of the tree, then format.
"""
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms

P = (1 << 130) - 5
KEY = bytes(range(32))
CLAMP = 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
SIZES = [16, 64, 240, 256, 272, 512, 1024, 1424]
TARGETS = {
    "0": 0,
    "1": 1,
    "4": 4,
    "5": 5,
    "p - 1": P - 1,
    "p - 5": P - 5,
    "2^44 - 1": (1 << 44) - 1,
    "2^88 - 1": (1 << 88) - 1,
    "2^128 - 1": (1 << 128) - 1,
    "2^128": 1 << 128,
    "2^129 - 1": (1 << 129) - 1,
}
HEADER = """// Written by tests/vectors/poly1305_edges.py, which says what these are.
#pragma once

#include <cstdint>

namespace ferrule::test {

/// The ciphertext is `size` bytes: all ff but the last 16, which are these two words, little-endian.
/// The key is 00 01 02 .. 1f. `sum` is what Poly1305's sum before its final reduction is modulo p.
struct Poly1305Edge {
  const char* sum;
  std::uint16_t size;
  std::uint64_t counter;
  std::uint64_t low;
  std::uint64_t high;
};

inline constexpr Poly1305Edge kPoly1305Edges[] = {
"""


def poly_r(counter):
    nonce = bytes(4) + bytes(4) + struct.pack("<Q", counter)
    stream = Cipher(algorithms.ChaCha20(KEY, nonce), None).encryptor().update(bytes(32))
    return int.from_bytes(stream[:16], "little") & CLAMP


def solve(size, target, counter):
    r = poly_r(counter)
    sum_before = 0
    for _ in range(size // 16 - 1):
        sum_before = (sum_before + (1 << 129) - 1) * r % P
    lengths = (size << 64) + (1 << 128)
    inverse = pow(r, -1, P)
    needed = (target * inverse - lengths) * inverse % P
    block = (needed - sum_before - (1 << 128)) % P
    check = ((sum_before + block + (1 << 128)) * r + lengths) * r % P
    assert check == target % P
    return block if block < 1 << 128 else None


def rows():
    counter = 0
    for size in SIZES:
        for name, target in TARGETS.items():
            block = None
            while block is None:
                counter += 1
                block = solve(size, target, counter)
            low, high = block & (1 << 64) - 1, block >> 64
            yield f'    {{"{name}", {size}, {counter}, {low:#x}, {high:#x}}},\n'


with open("src/core/crypto/poly1305_edges_testing.h", "w", encoding="ascii") as out:
    out.write(HEADER + "".join(rows()) + "};\n\n}  // namespace ferrule::test\n")
