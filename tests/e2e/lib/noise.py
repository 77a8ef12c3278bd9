"""WireGuard's handshake and transport, small and slow, for peers that tests make up.

Nothing here is constant-time or fast. Names follow the whitepaper, section 5.4.
"""

import functools
import hashlib
import hmac
import os
import struct
import time

P = 2**255 - 19
CONSTRUCTION = b"Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s"
IDENTIFIER = b"WireGuard v1 zx2c4 Jason@zx2c4.com"
INITIATION, RESPONSE, COOKIE_REPLY, TRANSPORT = 1, 2, 3, 4
INITIATION_BYTES, RESPONSE_BYTES, COOKIE_REPLY_BYTES, KEEPALIVE_BYTES = 148, 92, 64, 32


# --- primitives -------------------------------------------------------------------------------

def x25519(scalar, point):
    """RFC 7748, section 5."""
    k = int.from_bytes(scalar, "little") & ~7 & ~(128 << 8 * 31) | (64 << 8 * 31)
    u = int.from_bytes(point, "little") & (2**255 - 1)
    x2, z2, x3, z3, swap = 1, 0, u, 1, 0
    for bit in range(254, -1, -1):
        if (k >> bit & 1) != swap:
            x2, x3, z2, z3, swap = x3, x2, z3, z2, swap ^ 1
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb, da, cb = a * a % P, b * b % P, d * a % P, c * b % P
        e = aa - bb
        x3, z3 = (da + cb) ** 2 % P, u * (da - cb) ** 2 % P
        x2, z2 = aa * bb % P, e * (aa + 121665 * e) % P
    if swap:
        x2, z2 = x3, z3
    return (x2 * pow(z2, P - 2, P) % P).to_bytes(32, "little")


@functools.lru_cache(1024)
def public_key(private):
    return x25519(private, (9).to_bytes(32, "little"))


def hash_(*parts):
    return hashlib.blake2s(b"".join(parts)).digest()


def mac(key, data):
    return hashlib.blake2s(data, key=key, digest_size=16).digest()


def kdf(count, key, data):
    """HKDF: `count` keys from `key` and `data`."""
    t0 = hmac.digest(key, data, "blake2s")
    keys, last = [], b""
    for i in range(1, count + 1):
        last = hmac.digest(t0, last + bytes([i]), "blake2s")
        keys.append(last)
    return keys


CHACHA_CONSTANTS = (0x61707865, 0x3320646E, 0x79622D32, 0x6B206574)


def _chacha_rounds(state):
    x = list(state)
    mask = 0xFFFFFFFF
    for _ in range(10):
        for a, b, c, d in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
                           (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)):
            xa, xb, xc, xd = x[a], x[b], x[c], x[d]
            xa = xa + xb & mask
            xd ^= xa
            xd = (xd << 16 | xd >> 16) & mask
            xc = xc + xd & mask
            xb ^= xc
            xb = (xb << 12 | xb >> 20) & mask
            xa = xa + xb & mask
            xd ^= xa
            xd = (xd << 8 | xd >> 24) & mask
            xc = xc + xd & mask
            xb ^= xc
            xb = (xb << 7 | xb >> 25) & mask
            x[a], x[b], x[c], x[d] = xa, xb, xc, xd
    return x


def _chacha20_block(key_words, counter, nonce_words):
    initial = [*CHACHA_CONSTANTS, *key_words, counter, *nonce_words]
    return struct.pack("<16I", *((v + w) & 0xFFFFFFFF
                                 for v, w in zip(_chacha_rounds(initial), initial)))


def _chacha20(key, nonce, data, counter):
    key_words, nonce_words = struct.unpack("<8I", key), struct.unpack("<3I", nonce)
    blocks = (len(data) + 63) // 64
    stream = b"".join(_chacha20_block(key_words, counter + i, nonce_words) for i in range(blocks))
    size = len(data)
    return (int.from_bytes(data, "little")
            ^ int.from_bytes(stream[:size], "little")).to_bytes(size, "little")


def _poly1305(key, data):
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    total = 0
    for i in range(0, len(data), 16):
        total = (total + int.from_bytes(data[i:i + 16] + b"\x01", "little")) * r % (2**130 - 5)
    return ((total + int.from_bytes(key[16:], "little")) % 2**128).to_bytes(16, "little")


def _tag(key, nonce, ciphertext, aad):
    one_time_key = _chacha20_block(struct.unpack("<8I", key), 0, struct.unpack("<3I", nonce))[:32]
    padded = aad + bytes(-len(aad) % 16) + ciphertext + bytes(-len(ciphertext) % 16)
    return _poly1305(one_time_key, padded + struct.pack("<QQ", len(aad), len(ciphertext)))


def seal(key, counter, plaintext, aad=b""):
    """RFC 8439, section 2.8, with WireGuard's nonce: 32 zero bits, then the counter."""
    nonce = struct.pack("<IQ", 0, counter)
    ciphertext = _chacha20(key, nonce, plaintext, 1)
    return ciphertext + _tag(key, nonce, ciphertext, aad)


def open_(key, counter, sealed, aad=b""):
    nonce = struct.pack("<IQ", 0, counter)
    ciphertext, tag = sealed[:-16], sealed[-16:]
    if tag != _tag(key, nonce, ciphertext, aad):
        raise ValueError("the tag is wrong")
    return _chacha20(key, nonce, ciphertext, 1)


def _xsubkey(key, nonce24):
    words = _chacha_rounds([*CHACHA_CONSTANTS, *struct.unpack("<8I", key),
                            *struct.unpack("<4I", nonce24[:16])])
    return struct.pack("<8I", *words[:4], *words[12:])


def xseal(key, nonce24, plaintext, aad=b""):
    """XChaCha20-Poly1305: the nonce's first 16 bytes make a key, its last 8 are the counter."""
    return seal(_xsubkey(key, nonce24), int.from_bytes(nonce24[16:], "little"), plaintext, aad)


def xopen(key, nonce24, sealed, aad=b""):
    return open_(_xsubkey(key, nonce24), int.from_bytes(nonce24[16:], "little"), sealed, aad)


def tai64n(now=None):
    now = time.time() if now is None else now
    return struct.pack(">QI", 2**62 + 10 + int(now), int(now % 1 * 1e9))


def mac1(responder_public, message_start):
    return mac(hash_(b"mac1----", responder_public), message_start)


def cookie_reply(responder_public, message, cookie):
    """What a responder under load answers to an initiation or a response (section 5.4.7)."""
    nonce = os.urandom(24)
    key = hash_(b"cookie--", responder_public)
    return (struct.pack("<I", COOKIE_REPLY) + message[4:8] + nonce
            + xseal(key, nonce, cookie, message[-32:-16]))


def open_cookie(responder_public, message, reply):
    """The cookie in the reply to `message`."""
    return xopen(hash_(b"cookie--", responder_public), reply[8:32], reply[32:], message[-32:-16])


# --- handshake --------------------------------------------------------------------------------

class Handshake:
    """One run of Noise IKpsk2. Each line is a token of the pattern."""

    def __init__(self, private, peer_public, psk=bytes(32)):
        self.private, self.peer_public, self.psk = private, peer_public, psk
        self.public = public_key(private)
        self.local_index = int.from_bytes(os.urandom(4), "little")
        self.remote_index = None
        self.ephemeral = os.urandom(32)
        self.passing = []           # what no side may know any more once it is over

    def _start(self, responder_public):
        self.chaining_key = hash_(CONSTRUCTION)
        self.hash = hash_(hash_(self.chaining_key, IDENTIFIER), responder_public)

    def _mix_hash(self, data):
        self.hash = hash_(self.hash, data)

    def _mix_ephemeral(self, public):
        self._mix_hash(public)
        self.chaining_key, = kdf(1, self.chaining_key, public)

    def _mix_dh(self, private, public):
        shared = x25519(private, public)
        self.chaining_key, key = kdf(2, self.chaining_key, shared)
        self.passing += [shared, key, self.chaining_key]
        return key

    def _seal(self, key, plaintext):
        sealed = seal(key, 0, plaintext, self.hash)
        self._mix_hash(sealed)
        return sealed

    def _open(self, key, sealed):
        plaintext = open_(key, 0, sealed, self.hash)
        self._mix_hash(sealed)
        return plaintext

    def _mix_psk(self):
        self.chaining_key, tau, key = kdf(3, self.chaining_key, self.psk)
        self._mix_hash(tau)
        return key

    def initiation(self, timestamp=None):
        """The first message; kept in `sent` for those who replay it."""
        self._start(self.peer_public)
        e_public = public_key(self.ephemeral)
        self._mix_ephemeral(e_public)
        key = self._mix_dh(self.ephemeral, self.peer_public)                            # es
        sealed_static = self._seal(key, self.public)                                    # s
        key = self._mix_dh(self.private, self.peer_public)                              # ss
        sealed_timestamp = self._seal(key, timestamp or tai64n())
        message = (struct.pack("<II", INITIATION, self.local_index) + e_public + sealed_static
                   + sealed_timestamp)
        self.sent = with_macs(message, self.peer_public)
        return self.sent

    def accept(self, initiation):
        """The responder's side: reads an initiation, returns the response."""
        _, self.remote_index = struct.unpack("<II", initiation[:8])
        self._start(self.public)
        e_public = initiation[8:40]
        self._mix_ephemeral(e_public)
        key = self._mix_dh(self.private, e_public)                                      # es
        peer_public = self._open(key, initiation[40:88])                                # s
        if peer_public != self.peer_public:
            raise ValueError("an initiation from somebody else")
        key = self._mix_dh(self.private, peer_public)                                   # ss
        self.timestamp = self._open(key, initiation[88:116])
        own_public = public_key(self.ephemeral)
        self._mix_ephemeral(own_public)                                                 # e
        self._mix_dh(self.ephemeral, e_public)                                          # ee
        self._mix_dh(self.ephemeral, peer_public)                                       # se
        nothing = self._seal(self._mix_psk(), b"")                                      # psk
        message = struct.pack("<III", RESPONSE, self.local_index, self.remote_index) + own_public
        self.keys = kdf(2, self.chaining_key, b"")[::-1]
        return with_macs(message + nothing, peer_public)

    def finish(self, response):
        """The initiator's side: reads the response."""
        kind, self.remote_index, receiver = struct.unpack("<III", response[:12])
        if kind != RESPONSE or receiver != self.local_index:
            raise ValueError("not a response to this initiation")
        e_public = response[12:44]
        self._mix_ephemeral(e_public)                                                   # e
        self._mix_dh(self.ephemeral, e_public)                                          # ee
        self._mix_dh(self.private, e_public)                                            # se
        self._open(self._mix_psk(), response[44:60])                                    # psk
        self.keys = kdf(2, self.chaining_key, b"")


def with_macs(message, receiver_public, mac2=bytes(16)):
    return message + mac1(receiver_public, message) + mac2


def with_cookie(message, cookie):
    """A whole message, with the mac2 that a cookie allows."""
    return message[:-16] + mac(cookie, message[:-16])


class Session:
    """Transport keys of a finished handshake."""

    def __init__(self, handshake):
        self.sending_key, self.receiving_key = handshake.keys
        self.local_index, self.remote_index = handshake.local_index, handshake.remote_index
        self.counter = 0

    def message(self, plaintext, counter=None, pad=True):
        """A transport message. Only what `pad` and `counter` say is done for the caller."""
        if counter is None:
            counter, self.counter = self.counter, self.counter + 1
        if pad:
            plaintext += bytes(-len(plaintext) % 16)
        header = struct.pack("<IIQ", TRANSPORT, self.remote_index, counter)
        return header + seal(self.sending_key, counter, plaintext)

    def open(self, message):
        kind, receiver, counter = struct.unpack("<IIQ", message[:16])
        if kind != TRANSPORT or receiver != self.local_index:
            raise ValueError("not a transport message for this session")
        return open_(self.receiving_key, counter, message[16:])
