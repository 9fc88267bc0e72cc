// What a certificate's key says by its signature (docs/protocol.md, "The old key"). The key stays in this browser.
"use strict";
(() => {
const $ = (id) => document.getElementById(id), form = $("speak"), subtle = self.crypto && crypto.subtle;
if (!form) return;
// The page of a key that waits shows what became of it, unless its owner is about to sign.
const { page } = form.dataset;
if (page) setInterval(() => { if (!$("pem").value) location.replace(page); }, 6e4);
if (!subtle) return;
const says = $("key-file").dataset;
const utf8 = (text) => new TextEncoder().encode(text);
const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const bytes = (base64) => Uint8Array.from(atob(base64.replace(/-/g, "+").replace(/_/g, "/").replace(/\s/g, "")), (c) => c.charCodeAt());
const blocks = (text, what) => [...text.matchAll(`-----BEGIN ${what}-----([^-]+)-----END`)].map(([, body]) => bytes(body));

// DER: from where to where the content of the element at this place reaches.
const inside = (der, at) => {
  let length = der[at + 1], from = at + 2;
  if (length > 127) for (let n = length & 127, i = length = 0; i < n; i++) length = length * 256 + der[from++];
  return [from, from + length];
};
const serial = (der) => {
  // Certificate, its TBSCertificate, and there behind the version.
  const [, behind] = inside(der, inside(der, inside(der, 0)[0])[0]);
  return hex(der.slice(...inside(der, behind)));
};
const integer = (half) => {
  const at = half.findIndex((byte) => byte), digits = [...half.slice(at)];
  return digits[0] > 127 ? [2, digits.length + 1, 0, ...digits] : [2, digits.length, ...digits];
};

const kinds = [[{ name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" }, true], [{ name: "Ed25519" }, false]];
const read = async (text) => {
  const [pkcs8] = blocks(text, "PRIVATE KEY");
  if (!pkcs8) throw Error(says.missing);
  for (const [kind, halves] of kinds) {
    const key = await subtle.importKey("pkcs8", pkcs8, kind, true, ["sign"]).catch(() => {});
    if (!key) continue;
    const { x, y } = await subtle.exportKey("jwk", key), point = hex([...bytes(x), ...(y ? bytes(y) : [])]);
    const own = blocks(text, "CERTIFICATE").find((der) => hex(der).includes(point));
    const sign = async (...lines) => {
      let raw = new Uint8Array(await subtle.sign(kind, key, utf8(["dialproof-old-key-v1", ...lines, ""].join("\n"))));
      if (halves) {
        const both = [...integer(raw.slice(0, 32)), ...integer(raw.slice(32))];
        raw = [48, both.length, ...both];
      }
      return btoa(String.fromCharCode(...raw));
    };
    return { sign, serial: own && serial(own) };
  }
  throw Error(says.unusable);
};
const post = async (path, body) => {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  const json = answer.status == 204 ? {} : await answer.json();
  if (!answer.ok) throw Object.assign(Error(json.detail), { lang: "en" });
  return json;
};
const speak = async () => {
  const files = await Promise.all([...$("pem").files].map((file) => file.text()));
  const speaker = await read(files.join("\n")), { id, key } = form.dataset;
  if (id) {
    form.signature.value = await speaker.sign("change", id, "-", key);
    form.submit();
    return says.sent;
  }
  if (!speaker.serial) throw Error(says.uncertified);
  const at = `/v1/certificates/${speaker.serial}/`, what = form.what.value;
  const waiting = what == "veto" ? $("waiting").value.replace(/[\s:]/g, "").toLowerCase() : undefined;
  const { nonce } = await post(at + "nonce");
  await post(at + what, { nonce, key: waiting, signature: await speaker.sign(what, speaker.serial, nonce, waiting || "-") });
  return says.done;
};
const button = form.querySelector("button"), spoken = $("spoken");
form.onsubmit = async (event) => {
  event.preventDefault();
  button.disabled = true;
  spoken.textContent = spoken.lang = "";
  spoken.textContent = await speak().catch(({ message, lang }) => { spoken.lang = lang || ""; return message; });
  if (!spoken.lang) spoken.removeAttribute("lang");
  button.disabled = false;
};
})();
