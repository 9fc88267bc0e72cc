"""The vectors of the envelope, the hash, the directory record and the terms in docs/records.md, computed without any code of
ours: XChaCha20 is written out over the ChaCha20-Poly1305 of `cryptography`. Prints `name = value` lines, which all stand on
the page (those of BEP 44 are its own):

    pip install cryptography==48.0.0
    python tests/vectors/records.py | grep -vxFf docs/records.md    # prints nothing
"""

import base64
import hashlib
import struct

from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from location import cbor

SECRET = ed25519.Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
KEY = SECRET.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
CERTIFICATE = bytes.fromhex("3003020101")
NONCE = b"\x09" * 24
RECORD_SEQ = 1700000001
TERMS = b"""dialproof-bundle-v1
number 3
oid-arc 1.3.6.1.4.1.32473
argon2id 65536 3 1
dht mainline:127.0.0.1:4001,127.0.0.1:4002
dht opendht:https://dht.example.org
"""


def slot(salt):
    return hashlib.sha1(KEY + salt).digest()


def text(value):
    """A string of bencode (BEP 3)."""
    return b"%d:%s" % (len(value), value)


def signing(salt, seq, value):
    return b"4:salt" + text(salt) + b"3:seqi%de1:v" % seq + text(value)


def item(salt, seq, value):
    signature = SECRET.sign(signing(salt, seq, value))
    fields = b"1:k" + text(KEY) + b"4:salt" + text(salt) + b"3:seqi%de" % seq
    return b"d" + fields + b"3:sig" + text(signature) + b"1:v" + text(value) + b"e"


def derive(identity, memory_kib, passes):
    salt = hashlib.sha256(b"dialproof-dir-v1" + KEY).digest()[:16]
    return Argon2id(salt=salt, length=72, iterations=passes, lanes=1, memory_cost=memory_kib).derive(identity)


def hchacha20(key, nonce):
    """draft-irtf-cfrg-xchacha-03 2.2: the rounds of ChaCha20 without the last addition."""
    state = list(struct.unpack("<16I", b"expand 32-byte k" + key + nonce))
    columns = [(0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15)]
    diagonals = [(0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)]
    for a, b, c, d in 10 * (columns + diagonals):
        for to, by, turned, bits in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            state[to] = (state[to] + state[by]) & 0xFFFFFFFF
            mixed = state[turned] ^ state[to]
            state[turned] = (mixed << bits | mixed >> (32 - bits)) & 0xFFFFFFFF
    return struct.pack("<8I", *state[:4], *state[12:])


def seal(key, salt, plain):
    """XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03 2.3), bound to the slot and the number."""
    aad = KEY + slot(salt) + RECORD_SEQ.to_bytes(8, "big")
    sealed = ChaCha20Poly1305(hchacha20(key, NONCE[:16])).encrypt(bytes(4) + NONCE[16:], plain, aad)
    return b"\x01" + NONCE + sealed


def main():
    salt, seq, value = b"sip1", 1700000000, b"hello"
    cheap, strong = (8, 1), (65536, 3)
    number, mailbox = b"tel:+12025550143", b"mailto:ada.example@example.org"
    derived = derive(number, *cheap)
    dir_salt, seal_key, proof_salt = derived[:20], derived[20:52], derived[52:]
    dates = {2: 1700000000, 3: 1702592000}
    beside = {5: b"\x55" * 32, 6: b"\x66" * 32, 7: 1700000100, 8: b"\x88" * 16, 9: b"\x99" * 32}
    values = {
        "seed": b"\x07" * 32,
        "key": KEY,
        "salt": salt,
        "seq": seq,
        "value": value,
        "signing": signing(salt, seq, value),
        "signature": SECRET.sign(signing(salt, seq, value)),
        "slot": slot(salt),
        "item": item(salt, seq, value),
        "derived_tel_cheap": derived,
        "derived_tel": derive(number, *strong),
        "derived_mailto_cheap": derive(mailbox, *cheap),
        "derived_mailto": derive(mailbox, *strong),
        "dir_salt": dir_salt,
        "seal_key": seal_key,
        "proof_salt": proof_salt,
        "dir_slot": slot(dir_salt),
        "proof_slot": slot(proof_salt),
        "certificate": CERTIFICATE,
        "nonce": NONCE,
        "record_seq": RECORD_SEQ,
        "terms_block": base64.b64encode(KEY + SECRET.sign(TERMS) + TERMS).decode(),
    }
    for name, status, more in (
        ("valid", 0, {4: CERTIFICATE}),
        ("full", 0, {4: CERTIFICATE, **beside}),
        ("suspended", 1, {4: CERTIFICATE}),
        ("revoked", 2, {}),
    ):
        plain = cbor({1: status, **dates, **more})
        values[f"{name}_cbor"] = plain
        values[f"{name}_value"] = seal(seal_key, dir_salt, plain)
    values["valid_item"] = item(dir_salt, RECORD_SEQ, values["valid_value"])
    for name, value in values.items():
        print(f"{name} = {value.hex() if isinstance(value, bytes) else value}")


if __name__ == "__main__":
    main()
