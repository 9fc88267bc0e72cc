"""The packets of tests/attacks/secured_media.rs, computed without any code of ours: SRTP with AES in counter mode and HMAC-SHA1
(RFC 3711) is written out over the primitives of `cryptography`. Prints `name = value` lines.

    pip install cryptography==48.0.0 && python tests/vectors/srtp.py
"""

import base64
import hashlib
import hmac

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

TAG = 10
SSRC = 0x0D1A1B00


def counter_mode(key, counter, octets):
    encryptor = Cipher(algorithms.AES(key), modes.CTR(counter)).encryptor()
    return encryptor.update(octets) + encryptor.finalize()


def derive(master, label, length):
    """RFC 3711 4.3.1, without a key derivation rate."""
    key, salt = master[:16], int.from_bytes(master[16:], "big")
    counter = (salt ^ label << 48) << 16
    return counter_mode(key, counter.to_bytes(16, "big"), bytes(length))


def protect(master, packet):
    """RFC 3711 4.1.1 and 4.2, before the sequence numbers turn over for the first time."""
    header, body = packet[:12], packet[12:]
    sequence = int.from_bytes(packet[2:4], "big")
    salt = int.from_bytes(derive(master, 2, 14), "big")
    counter = salt << 16 ^ SSRC << 64 ^ sequence << 16
    sealed = header + counter_mode(derive(master, 0, 16), counter.to_bytes(16, "big"), body)
    tag = hmac.new(derive(master, 1, 20), sealed + bytes(4), hashlib.sha1).digest()
    return sealed + tag[:TAG]


def press(digit, sequence):
    """A key press by RFC 4733 of which one packet is left, the last."""
    head = bytes([0x80, 0x80 | 101]) + sequence.to_bytes(2, "big") + (sequence * 800).to_bytes(4, "big")
    return head + SSRC.to_bytes(4, "big") + bytes([digit, 0x8A, 3, 0x20])


def self_test():
    """RFC 3711 B.3."""
    master = bytes.fromhex("e1f97a0d3e018be0d64fa32c06de4139" "0ec675ad498afeebb6960b3aabe6")
    assert derive(master, 0, 16).hex() == "c61e7a93744f39ee10734afe3ff7a087"
    assert derive(master, 2, 14).hex() == "30cbbc08863d8c85d49db34a9ae1"
    assert derive(master, 1, 20).hex() == "cebe321f6ff7716b6fd4ab49af256a156d38baa4"


self_test()
callers, others = bytes(range(1, 31)), bytes(range(2, 32))
print("CALLERS =", base64.b64encode(callers).decode())
print("IN_THE_CLEAR =", press(1, 1).hex())
print("OTHERS =", protect(others, press(1, 1)).hex())
# The second is so far ahead that the first, if it came again, would be a telephone that begins anew.
for name, digit, sequence in (("FIRST", 1, 1), ("SECOND", 2, 2_000), ("THIRD", 3, 2_001)):
    print(name, "=", protect(callers, press(digit, sequence)).hex())
