"""IP, UDP and ICMP, byte by byte: to make packets that no kernel would send, and to read those
that pass."""

import dataclasses
import ipaddress
import struct

ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
NOT_ECT, ECT1, ECT0, CE = 0, 1, 2, 3


def checksum(data):
    """RFC 1071."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _packed(address):
    return ipaddress.ip_address(address).packed


def _pseudo_header(source, destination, protocol, length):
    source, destination = _packed(source), _packed(destination)
    if len(source) == 4:
        return source + destination + struct.pack(">BBH", 0, protocol, length)
    return source + destination + struct.pack(">I3xB", length, protocol)


def ipv4(source, destination, protocol, payload, *, tos=0, total_length=None, header_words=5,
         version=4, ttl=64):
    """An IPv4 packet; the last arguments are there to lie."""
    length = 20 + len(payload) if total_length is None else total_length
    header = struct.pack(">BBHHHBBH4s4s", version << 4 | header_words, tos, length, 0, 0, ttl,
                         protocol, 0, _packed(source), _packed(destination))
    return header[:10] + struct.pack(">H", checksum(header)) + header[12:] + payload


def ipv6(source, destination, protocol, payload, *, traffic_class=0, payload_length=None,
         version=6, hop_limit=64):
    length = len(payload) if payload_length is None else payload_length
    return struct.pack(">IHBB16s16s", version << 28 | traffic_class << 20, length, protocol,
                       hop_limit, _packed(source), _packed(destination)) + payload


def udp(source, destination, source_port, destination_port, payload):
    length = 8 + len(payload)
    header = struct.pack(">HHHH", source_port, destination_port, length, 0)
    total = checksum(_pseudo_header(source, destination, UDP, length) + header + payload) or 0xFFFF
    return header[:6] + struct.pack(">H", total) + payload


def udp_packet(source, destination, payload, *, source_port=1000, destination_port=2000, tos=0):
    """A whole UDP packet of either family."""
    datagram = udp(source, destination, source_port, destination_port, payload)
    if ":" in source:
        return ipv6(source, destination, UDP, datagram, traffic_class=tos)
    return ipv4(source, destination, UDP, datagram, tos=tos)


def echo_request(source, destination, payload=b"ferrule", identifier=7, sequence=1):
    """A whole ping of either family."""
    body = struct.pack(">HH", identifier, sequence) + payload
    if ":" in source:
        message = struct.pack(">BBH", 128, 0, 0) + body
        total = checksum(_pseudo_header(source, destination, ICMPV6, len(message)) + message)
        return ipv6(source, destination, ICMPV6, message[:2] + struct.pack(">H", total) + body)
    message = struct.pack(">BBH", 8, 0, 0) + body
    total = checksum(message)
    return ipv4(source, destination, ICMP, message[:2] + struct.pack(">H", total) + body)


@dataclasses.dataclass(frozen=True)
class Packet:
    """An IP packet that was read; of UDP and ICMP what the tests ask for."""
    raw: bytes
    version: int
    source: str
    destination: str
    tos: int
    ttl: int
    protocol: int
    dont_fragment: bool
    flow_label: int
    body: bytes                 # what follows the IP header
    fragment: bool = False

    @property
    def ecn(self):
        return self.tos & 3

    @property
    def dscp(self):
        return self.tos >> 2

    @property
    def is_udp(self):
        return self.protocol == UDP and len(self.body) >= 8 and not self.fragment

    @property
    def source_port(self):
        return struct.unpack(">H", self.body[:2])[0]

    @property
    def destination_port(self):
        return struct.unpack(">H", self.body[2:4])[0]

    @property
    def udp_checksum(self):
        return struct.unpack(">H", self.body[6:8])[0]

    @property
    def udp_checksum_is_right(self):
        length = struct.unpack(">H", self.body[4:6])[0]
        pseudo = _pseudo_header(self.source, self.destination, UDP, length)
        return self.udp_checksum != 0 and checksum(pseudo + self.body[:length]) == 0

    @property
    def payload(self):
        """Of a UDP packet."""
        return self.body[8:struct.unpack(">H", self.body[4:6])[0]]

    @property
    def icmp(self):
        """(type, code) of ICMP or ICMPv6; None if it is neither."""
        return (self.body[0], self.body[1]) if self.protocol in (ICMP, ICMPV6) else None


def parse(data):
    """A Packet; None if `data` is not IP."""
    if len(data) >= 20 and data[0] >> 4 == 4:
        size = struct.unpack(">H", data[2:4])[0]
        fragment = struct.unpack(">H", data[6:8])[0]
        return Packet(data[:size], 4, str(ipaddress.ip_address(data[12:16])),
                      str(ipaddress.ip_address(data[16:20])), data[1], data[8], data[9],
                      bool(fragment & 0x4000), 0, data[(data[0] & 15) * 4:size],
                      bool(fragment & 0x3FFF))
    if len(data) >= 40 and data[0] >> 4 == 6:
        word, size = struct.unpack(">IH", data[:6])
        return Packet(data[:40 + size], 6, str(ipaddress.ip_address(data[8:24])),
                      str(ipaddress.ip_address(data[24:40])), word >> 20 & 0xFF, data[7], data[6],
                      True, word & 0xFFFFF, data[40:40 + size], data[6] == 44)
    return None
