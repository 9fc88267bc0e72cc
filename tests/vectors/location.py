"""The vectors of the location record in docs/records.md, computed without any code of ours: COSE (RFC 9052) and HPKE
(RFC 9180, base mode) are written out over the primitives of `cryptography`. Prints `name = value` lines.

    pip install cryptography==48.0.0 && python tests/vectors/location.py
"""

import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def head(major, number):
    """The first bytes of a CBOR item (RFC 8949 3), shortest form."""
    if number < 24:
        return bytes([major << 5 | number])
    for extra, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if number < 1 << 8 * size:
            return bytes([major << 5 | extra]) + number.to_bytes(size, "big")
    raise ValueError(number)


def cbor(value):
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(cbor, value))
    if isinstance(value, dict):
        return head(5, len(value)) + b"".join(cbor(key) + cbor(of) for key, of in value.items())
    raise TypeError(value)


def tagged(tag, value):
    return head(6, tag) + cbor(value)


def mac(key, *parts):
    return hmac.new(key, b"".join(parts), hashlib.sha256).digest()


# RFC 9180, suite: DHKEM(X25519, HKDF-SHA256) 0x0020, HKDF-SHA256 0x0001, AES-128-GCM 0x0001.
KEM_SUITE = b"KEM" + (0x0020).to_bytes(2, "big")
HPKE_SUITE = b"HPKE" + b"".join(number.to_bytes(2, "big") for number in (0x0020, 0x0001, 0x0001))


def labeled_extract(suite, salt, label, ikm):
    return mac(salt, b"HPKE-v1", suite, label, ikm)


def labeled_expand(suite, secret, label, info, length):
    info = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    return mac(secret, info, b"\x01")[:length]


def hpke_seal(secret, recipient, plain, aad):
    """RFC 9180 6.1, mode_base with an empty info; the ephemeral key is given."""
    ephemeral = x25519.X25519PrivateKey.from_private_bytes(secret)
    encapsulated = ephemeral.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    shared = ephemeral.exchange(x25519.X25519PublicKey.from_public_bytes(recipient))
    eae = labeled_extract(KEM_SUITE, b"", b"eae_prk", shared)
    secret = labeled_expand(KEM_SUITE, eae, b"shared_secret", encapsulated + recipient, 32)
    context = b"\x00" + labeled_extract(HPKE_SUITE, b"", b"psk_id_hash", b"")
    context += labeled_extract(HPKE_SUITE, b"", b"info_hash", b"")
    schedule = labeled_extract(HPKE_SUITE, secret, b"secret", b"")
    key = labeled_expand(HPKE_SUITE, schedule, b"key", context, 16)
    nonce = labeled_expand(HPKE_SUITE, schedule, b"base_nonce", context, 12)
    return encapsulated, AESGCM(key).encrypt(nonce, plain, aad)


def associated(location_public, salt, seq):
    slot = hashlib.sha1(location_public + salt).digest()
    return b"dialproof-loc-v1" + location_public + slot + seq.to_bytes(8, "big")


def sign1(payload, aad, algorithm, sign):
    protected = cbor({1: algorithm})
    signature = sign(cbor(["Signature1", protected, aad, payload]))
    return tagged(18, [protected, {}, payload, signature])


def encrypt0(plain, aad, key, nonce):
    protected = cbor({1: 3})
    sealed = AESGCM(key).encrypt(nonce, plain, cbor(["Encrypt0", protected, aad]))
    return tagged(16, [protected, {5: nonce}, sealed])


def encrypt(plain, aad, content_key, nonce, recipients):
    stated = cbor({1: -65537})
    carried = []
    for number, recipient in enumerate(recipients):
        ephemeral = bytes([0x60 + number]) * 32
        encapsulated, wrapped = hpke_seal(ephemeral, recipient, content_key, cbor(["Enc_Recipient", stated, aad]))
        carried.append([stated, {-4: encapsulated}, wrapped])
    protected = cbor({1: 1})
    sealed = AESGCM(content_key).encrypt(nonce, plain, cbor(["Encrypt", protected, aad]))
    return tagged(96, [protected, {5: nonce}, sealed, carried])


def main():
    seq = 1700000000
    location = ed25519.Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
    public = location.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    scalar = b"\x0b" * 32
    owner = ec.derive_private_key(int.from_bytes(scalar, "big"), ec.SECP256R1())
    ed_owner = ed25519.Ed25519PrivateKey.from_private_bytes(b"\x0c" * 32)

    def es256(message):
        r, s = utils.decode_dss_signature(owner.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True)))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    payload = cbor({
        1: "tel:+12025550143",
        2: [["sip:ada@192.0.2.7:5060;transport=tcp", 1000, 1700003600], ["sips:ada@example.org", 500, 1700003600]],
        3: 1700000000,
        4: 1700003600,
    })
    aad = associated(public, b"sip1", seq)
    friends = b"\x0d" * 32
    epoch = (seq // 86400).to_bytes(8, "big")
    salt, seal_key = mac(friends, b"loc", epoch), mac(friends, b"seal", epoch)
    friends_aad = associated(public, salt, seq)
    kems = [x25519.X25519PrivateKey.from_private_bytes(bytes([byte]) * 32) for byte in (0x21, 0x22)]
    recipients = [kem.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw) for kem in kems]
    signed = sign1(payload, aad, -7, es256)
    values = {
        "loc_owner": scalar,
        "loc_owner_ed25519": b"\x0c" * 32,
        "loc_payload": payload,
        "loc_aad": aad,
        "loc_open_value": signed,
        "loc_ed25519_value": sign1(payload, aad, -8, ed_owner.sign),
        "loc_friends_key": friends,
        "loc_friends_salt": salt,
        "loc_friends_seal_key": seal_key,
        "loc_friends_value": encrypt0(sign1(payload, friends_aad, -7, es256), friends_aad, seal_key, b"\x0e" * 12),
        "loc_kem": b"\x22" * 32,
        "loc_kem_public": recipients[1],
        "loc_recipients_value": encrypt(signed, aad, b"\x0f" * 16, b"\x10" * 12, recipients),
    }
    for name, value in values.items():
        print(f"{name} = {value.hex()}")


if __name__ == "__main__":
    main()
