// A key and its request before the start, live steps during the call, a .p12 at the end. Every page works without it.
"use strict";
(() => {
const $ = (id) => document.getElementById(id), subtle = self.crypto && crypto.subtle;
const EC = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const join = (...parts) => Uint8Array.from(parts.flatMap((part) => [...new Uint8Array(part)]));
const utf8 = (text) => new TextEncoder().encode(text), random = (n) => crypto.getRandomValues(new Uint8Array(n));
const hash = (bytes) => subtle.digest("SHA-256", bytes);
const hex = (bytes) => join(bytes).reduce((text, byte) => text + byte.toString(16).padStart(2, "0"), "");

// DER: tag, length, content.
const der = (tag, ...parts) => {
  const body = join(...parts), n = body.length;
  return join([tag], n < 128 ? [n] : n < 256 ? [129, n] : [130, n >> 8, n & 255], body);
};
const [seq, set, octets, explicit] = [48, 49, 4, 160].map((tag) => (...parts) => der(tag, ...parts));
const integer = (...bytes) => {
  while (!bytes[0] && bytes[1] < 128) bytes.shift();
  return der(2, bytes[0] > 127 ? [0] : [], bytes);
};
const oid = (text) => {
  const [a, b, ...rest] = text.split(".");
  return der(6, [a * 40 + +b], ...rest.map((n) => {
    const out = [n & 127];
    while ((n >>= 7)) out.unshift(n & 127 | 128);
    return out;
  }));
};
const pkcs = (text, ...parts) => seq(oid("1.2.840.113549.1." + text), ...parts);

// Keys wait in this browser, under the hash of their public half: as long as a changed key may, a week, and a day.
const once = (mode, ask) => new Promise((done, fail) => {
  const open = indexedDB.open("dialproof", 1);
  open.onupgradeneeded = () => open.result.createObjectStore("keys");
  open.onerror = fail;
  open.onsuccess = () => {
    try {
      const asked = ask(open.result.transaction("keys", mode).objectStore("keys"));
      // Not before it is kept: whoever leaves the page sooner may leave the key behind.
      asked.transaction.oncomplete = () => done(asked.result);
      asked.transaction.onabort = fail;
    } catch (error) {
      fail(error);
    }
  };
});
// The browser may have closed the connection under us: the next is another.
const keys = (mode, ask) => once(mode, ask).catch(() => once(mode, ask));
const forget = async () => {
  const old = (await keys("readonly", (all) => all.getAll())).filter(({ made }) => made < Date.now() - 8 * 864e5);
  await Promise.all(old.map(({ id }) => keys("readwrite", (all) => all.delete(id))));
};

// PKCS#10 (RFC 2986). It asks for a name only if the number was typed in full.
const request = async (typed) => {
  const { publicKey, privateKey: key } = await subtle.generateKey(EC, true, ["sign", "verify"]);
  const spki = await subtle.exportKey("spki", publicKey), number = typed.replace(/[\s.()-]/g, "");
  const id = hex(await hash(spki));
  await keys("readwrite", (all) => all.put({ id, key, made: Date.now() }, id));
  const san = seq(oid("2.5.29.17"), octets(seq(der(0x86, utf8("tel:" + number)))));
  const wish = /^\+[1-9]\d{6,14}$/.test(number) ? pkcs("9.14", set(seq(san))) : [];
  const info = seq(integer(0), seq(), spki, explicit(wish));
  const raw = new Uint8Array(await subtle.sign(EC, key, info)), half = (at) => integer(...raw.slice(at, at + 32));
  return seq(info, seq(oid("1.2.840.10045.4.3.2")), der(3, [0], seq(half(0), half(32))));
};
// SHA-256 (FIPS 180-4) of one block after another: crypto.subtle takes longer to be asked than to hash.
const primes = [...Array(312).keys()].filter((n) => n > 1 && ![...Array(n).keys()].some((d) => d > 1 && n % d == 0));
const fractions = (root) => primes.map((n) => root(n) % 1 * 2 ** 32 | 0);
const START = fractions(Math.sqrt).slice(0, 8), ROUNDS = fractions(Math.cbrt), w = new Int32Array(64);
const turn = (n, by) => n >>> by | n << 32 - by;
const sums = (n, one, two, three) => turn(n, one) ^ turn(n, two) ^ turn(n, three);
const block = (state, bytes, at) => {
  let [a, b, c, d, e, f, g, h] = state;
  for (let i = 0; i < 64; i++) {
    const s = w[i - 15], t = w[i - 2], j = at + 4 * i;
    w[i] = i < 16 ? bytes[j] << 24 | bytes[j + 1] << 16 | bytes[j + 2] << 8 | bytes[j + 3]
      : w[i - 16] + (turn(s, 7) ^ turn(s, 18) ^ s >>> 3) + w[i - 7] + (turn(t, 17) ^ turn(t, 19) ^ t >>> 10);
    const one = h + sums(e, 6, 11, 25) + (e & f ^ ~e & g) + ROUNDS[i] + w[i] | 0;
    const two = sums(a, 2, 13, 22) + (a & b ^ a & c ^ b & c) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, d + one | 0, c, b, a, one + two | 0];
  }
  return [a, b, c, d, e, f, g, h].map((n, i) => n + state[i] | 0);
};
// Proof of work: a counter whose hash, after the challenge, begins with so many zero bits. Between two slices the page is shown.
const solve = async (challenge, bits, tell) => {
  const head = utf8(challenge + "."), whole = head.length & ~63, rest = head.slice(whole);
  let before = START;
  for (let at = 0; at < whole; at += 64) before = block(before, head, at);
  for (let n = 0; ; n++) {
    if (n % 4096 == 0) {
      tell(1 - Math.exp(-n / 2 ** bits));
      await new Promise((go) => { const { port1, port2 } = new MessageChannel(); port1.onmessage = go; port2.postMessage(0); });
    }
    const digits = String(n), length = rest.length + digits.length, last = new Uint8Array(length + 9 + 63 & ~63);
    last.set(rest);
    for (let i = 0; i < digits.length; i++) last[rest.length + i] = digits.charCodeAt(i);
    last[length] = 128;
    new DataView(last.buffer).setUint32(last.length - 4, 8 * (whole + length));
    let state = before;
    for (let at = 0; at < last.length; at += 64) state = block(state, last, at);
    if (state[0] >>> 32 - bits == 0) return n;
  }
};
const start = $("start");
if (start && subtle && self.indexedDB) {
  const own = $("own"), note = $("own-key"), work = $("work"), button = start.querySelector("button");
  let busy, made, solution;
  const { bits } = start.dataset;
  own.open = "used" in own.dataset;
  note.hidden = false;
  forget().catch(() => {});
  start.onsubmit = async (event) => {
    const given = start.csr.value.trim() || start.csr_file.value;
    if (given && !bits) return;
    event.preventDefault();
    if (busy) return;
    busy = button.disabled = true;
    try {
      if (bits) solution = await solve(start.challenge.value, bits, (done) => { work.hidden = false; work.value = done; });
      if (!given) made = await request(start.number ? start.number.value : "");
      start.submit();
    } catch {
      own.open = true;
      note.textContent = note.dataset.fails;
      button.disabled = false;
    }
    busy = false;
  };
  start.onformdata = ({ formData }) => {
    if (bits) formData.set("solution", solution);
    if (!made) return;
    formData.set("csr", `-----BEGIN CERTIFICATE REQUEST-----\n${btoa(String.fromCharCode(...made))}\n-----END CERTIFICATE REQUEST-----\n`);
    formData.set("made", 1);
  };
  onpageshow = () => { if (!busy) made = button.disabled = undefined; };
  if ("whole" in start.dataset && start.reportValidity()) start.requestSubmit();
}

// Live steps.
const live = $("live"), record = $("record"), follows = live || record;
if (follows && follows.dataset.events) {
  const { events, seen } = follows.dataset, source = new EventSource(events), form = $("read-back"), remedy = $("remedy"), calls = $("simulate");
  // The page may be the answer to a post: going there is not posting again.
  const reload = () => location.replace(live ? live.dataset.page : location);
  let state, late, called = remedy && "called" in remedy.dataset;
  const show = () => { if (remedy) remedy.hidden = !late || called || state != "waiting"; };
  source.addEventListener("happening", ({ data, lastEventId }) => {
    const { kind, sentence } = JSON.parse(data);
    // A refused call is none of this page's: anybody may have made it.
    called ||= kind != "refused";
    show();
    if (live && +lastEventId > +seen) $("now").textContent = sentence;
  });
  source.addEventListener("status", ({ data }) => {
    const status = JSON.parse(data);
    if (!live) {
      if (status.published) { record.textContent = record.dataset.published; source.close(); }
      return;
    }
    state = status.state;
    if (calls) calls.disabled = state != "waiting" || status.simulated;
    if (/held|issued|voided|expired|failed/.test(state)) return reload();
    live.querySelectorAll(".steps li").forEach((step, place) => {
      step.className = place < status.step ? "done" : "";
      step.ariaCurrent = place == status.step ? "step" : null;
    });
    show();
    if (form.hidden == (state == "read-back")) {
      form.hidden = !form.hidden;
      if (!form.hidden) $("digits").focus();
    }
  });
  // Who has pressed a button goes where it leads.
  document.addEventListener("submit", () => source.close());
  source.onerror = () => { if (source.readyState == 2) setTimeout(reload, 5e3); };
  if (live) {
    const left = $("left"), ends = performance.now() + left.dataset.seconds * 1e3;
    setTimeout(() => { late = true; show(); }, remedy.dataset.in * 1e3);
    setInterval(() => {
      const seconds = Math.max(0, Math.round((ends - performance.now()) / 1e3));
      left.textContent = left.dataset.words.replace("{time}", `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`);
    }, 1e3);
  }
}

// PKCS#12 (RFC 7292): PBES2 for both bags, a MAC over all.
const seal = async (password, clear) => {
  const salt = random(16), iv = random(16), raw = await subtle.importKey("raw", utf8(password), "PBKDF2", false, ["deriveKey"]);
  const key = await subtle.deriveKey({ name: "PBKDF2", hash: "SHA-256", salt, iterations: 6e5 }, raw, { name: "AES-CBC", length: 256 }, false, ["encrypt"]);
  const derived = pkcs("5.12", seq(octets(salt), integer(9, 39, 192), seq(oid("1.2.840.113549.2.9"), [5, 0])));
  return [pkcs("5.13", seq(derived, seq(oid("2.16.840.1.101.3.4.1.42"), octets(iv)))), await subtle.encrypt({ name: "AES-CBC", iv }, key, clear)];
};
const pkcs12 = async (password, key, id, certificates) => {
  const data = (...parts) => pkcs("7.1", explicit(octets(...parts)));
  const bag = (kind, value, mine) => pkcs("12.10.1." + kind, explicit(value), mine ? set(pkcs("9.21", set(octets(id)))) : []);
  const [how, hidden] = await seal(password, await subtle.exportKey("pkcs8", key));
  const bags = certificates.map((der, at) => bag(3, pkcs("9.22.1", explicit(octets(der))), !at));
  const [means, sealed] = await seal(password, seq(...bags));
  const safe = seq(data(seq(bag(2, seq(how, octets(hidden)), true))), pkcs("7.6", explicit(seq(integer(0), seq(oid("1.2.840.113549.1.7.1"), means, der(128, sealed))))));
  const fill = (bytes) => Uint8Array.from({ length: Math.ceil(bytes.length / 64) * 64 }, (_, at) => bytes[at % bytes.length]);
  const salt = random(16), wide = (password + "\0").split("").flatMap((c) => [c.charCodeAt() >> 8, c.charCodeAt() & 255]);
  // RFC 7292 B.2, for one block of output.
  let mac = join(Array(64).fill(3), fill(salt), fill(wide));
  for (let round = 0; round < 20480; round++) mac = await hash(mac);
  mac = await subtle.sign("HMAC", await subtle.importKey("raw", mac, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]), safe);
  return seq(integer(3), data(safe), seq(seq(seq(oid("2.16.840.1.101.3.4.2.1"), [5, 0]), octets(mac)), octets(salt), integer(80, 0)));
};
const form = $("p12");
if (form && subtle && self.indexedDB) {
  const { spki, name } = form.dataset, status = $("p12-status");
  keys("readonly", (all) => all.get(spki)).then((found) => {
    (found ? form : $("lost")).hidden = false;
    form.onsubmit = async (event) => {
      event.preventDefault();
      status.textContent = status.dataset.making;
      const ders = [...($("pem").textContent + $("chain").textContent).matchAll(/-----BEGIN CERTIFICATE-----([^-]+)/g)];
      const certificates = ders.map(([, text]) => Uint8Array.from(atob(text.replace(/\s/g, "")), (c) => c.charCodeAt()));
      const file = await pkcs12($("password").value, found.key, spki.match(/../g).map((byte) => parseInt(byte, 16)), certificates);
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([file], { type: "application/x-pkcs12" }));
      link.download = name.replace(/\W/g, "") + ".p12";
      link.click();
      keys("readwrite", (all) => all.delete(spki));
      status.textContent = status.dataset.done;
    };
  });
}
})();
