/** Parts of the WebSocket peer channel that are seen best alone: frames, handshake, addresses. */
import { createHmac, randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { channelUrl } from "../../src/adapters/ws-peer-channel/dial.ts";
import {
  FrameOpener,
  FrameSealer,
  Mac,
  Handshake,
  channelSecret,
  tokenProof,
} from "../../src/adapters/ws-peer-channel/handshake.ts";
import { hello } from "../support/peer-end.ts";
import { keyOf } from "../support/test-keys.ts";

const key = randomBytes(32).toString("hex");

describe("mac", () => {
  it("is the beginning of HMAC-SHA256, whatever the text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.uint8Array({ minLength: 32, maxLength: 32 }), (text, bytes) => {
        const hexKey = Buffer.from(bytes).toString("hex");
        const reference = createHmac("sha256", hexKey).update(text).digest("base64url");
        expect(new Mac(hexKey).of(text)).toBe(reference.slice(0, 22));
      }),
    );
  });
});

describe("frames", () => {
  it("open to the text that was sealed, whatever it is", () => {
    const sealer = new FrameSealer(key);
    const opener = new FrameOpener(key);
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        expect(opener.open(sealer.seal(text))).toEqual({ outcome: "opened", text });
      }),
    );
  });

  it("do not open changed in any one character, and leave the opener as it was", () => {
    const sealer = new FrameSealer(key);
    const opener = new FrameOpener(key);
    const frame = sealer.seal('{"type":"checkpoint","epoch":1,"seq":2}');
    for (let at = 0; at < frame.length; at++) {
      const changed = frame.slice(0, at) + (frame[at] === "7" ? "8" : "7") + frame.slice(at + 1);
      expect(opener.open(changed).outcome, changed).toBe("bad-frame");
    }
    expect(opener.open(frame).outcome).toBe("opened");
    expect(opener.open(frame).outcome).toBe("replayed");
  });

  it("never throw on any text", () => {
    const opener = new FrameOpener(key);
    fc.assert(fc.property(fc.string(), (text) => opener.open(text).outcome === "bad-frame"));
    for (const text of [
      "",
      ".",
      "..",
      "1..",
      "1.".padEnd(25, "."),
      "AAAAAAAAAAAAAAAAAAAAAA.-1.x",
      "\u0141".repeat(22) + ".1.x",
    ]) {
      expect(opener.open(text).outcome).toBe("bad-frame");
    }
  });
});

const secret = channelSecret("token", "studio-1");
const a = { ...hello("a"), pair: "studio-1", label: "a", link: "red" } as const;
const b = { ...hello("b"), pair: "studio-1", label: "b", link: "" } as const;

function shake(dialerSecret = secret, acceptorSecret = secret): { dialer: Handshake; acceptor: Handshake } {
  const dialer = new Handshake({ secret: dialerSecret, signatures: keyOf("a"), randomBytes }, "dialer", a);
  const acceptor = new Handshake({ secret: acceptorSecret, signatures: keyOf("b"), randomBytes }, "acceptor", b);
  dialer.takeHello(acceptor.ownHello);
  acceptor.takeHello(dialer.ownHello);
  return { dialer, acceptor };
}

describe("handshake", () => {
  it("proves both sides and gives them the same keys, one a direction", () => {
    const { dialer, acceptor } = shake();
    expect(acceptor.prove(dialer.ownProof())).toBe("proven");
    expect(dialer.prove(acceptor.ownProof())).toBe("proven");
    const [ours, theirs] = [dialer.keys(), acceptor.keys()];
    expect(ours).toEqual({ sealing: theirs.opening, opening: theirs.sealing });
    expect(ours.sealing).not.toBe(ours.opening);
  });

  it("proves nothing with another token, another pair's open mode, or a proof of another handshake", () => {
    for (const other of [
      channelSecret("Token", "studio-1"),
      channelSecret(null, "studio-1"),
      channelSecret(null, "x"),
    ]) {
      const { dialer, acceptor } = shake(secret, other);
      expect(acceptor.prove(dialer.ownProof())).toBe("bad-token");
      expect(dialer.prove(acceptor.ownProof())).toBe("bad-token");
    }
    const recorded = shake();
    const fresh = shake();
    expect(fresh.acceptor.prove(recorded.dialer.ownProof())).toBe("bad-token");
    expect(fresh.dialer.prove(fresh.dialer.ownProof())).toBe("bad-token");
  });

  it("names what is wrong with a hello", () => {
    const side = new Handshake({ secret, signatures: keyOf("b"), randomBytes }, "acceptor", b);
    const wrong = (change: object): unknown =>
      side.takeHello(
        JSON.stringify({
          ...(JSON.parse(
            new Handshake({ secret, signatures: keyOf("a"), randomBytes }, "dialer", a).ownHello,
          ) as object),
          ...change,
        }),
      );
    expect(wrong({ label: "c" })).toBe('/label: is "c", must be one of "a", "b"');
    expect(wrong({ protocol: 2 })).toBe("/protocol: is 2, must be 1");
    expect(wrong({ nonce: "00" })).toMatch(/^\/nonce: is "00", must match pattern/);
    expect(wrong({ extra: 1 })).toBe("/extra: is an unknown field");
    expect(side.takeHello("{")).toBe(": must be JSON");
  });
});

describe("addresses of links", () => {
  it.each([
    ["ws://10.0.0.2:7401", "ws://10.0.0.2:7401/api/peer/channel"],
    ["ws://10.0.0.2:7401/", "ws://10.0.0.2:7401/api/peer/channel"],
    ["wss://b.example/engine-b", "wss://b.example/engine-b/api/peer/channel"],
    ["ws://10.0.0.2:7401/api/peer/channel", "ws://10.0.0.2:7401/api/peer/channel"],
  ])("%s leads to %s", (configured, full) => {
    expect(channelUrl(configured).href).toBe(full);
  });
});

describe("handshake: the key [ID1]", () => {
  it("ID1: proves nothing with another key than the hello showed, whatever the token", () => {
    const thief = { key: keyOf("a").key, sign: (text: string) => keyOf("thief").sign(text), verify: () => true };
    const dialer = new Handshake({ secret, signatures: thief, randomBytes }, "dialer", a);
    const acceptor = new Handshake({ secret, signatures: keyOf("b"), randomBytes }, "acceptor", b);
    dialer.takeHello(acceptor.ownHello);
    expect(acceptor.takeHello(dialer.ownHello)).toMatchObject({ key: keyOf("a").key });
    expect(acceptor.prove(dialer.ownProof())).toBe("bad-proof");
  });

  it("ID1: a signature of an earlier handshake is worth nothing, also with a fresh proof of the token", () => {
    const recorded = shake();
    const { signature } = JSON.parse(recorded.dialer.ownProof()) as { signature: string };
    const replayed = new Handshake({ secret, signatures: keyOf("b"), randomBytes }, "acceptor", b);
    replayed.takeHello(recorded.dialer.ownHello);
    const mac = tokenProof(secret, "dialer", [recorded.dialer.ownHello, replayed.ownHello]);
    expect(replayed.prove(JSON.stringify({ type: "proof", mac, signature }))).toBe("bad-proof");
    expect(recorded.acceptor.prove(recorded.dialer.ownProof())).toBe("proven");
  });

  it("ID1: who knows the token and both hellos, as a relay does, does not know the keys of the session", () => {
    const { dialer, acceptor } = shake();
    const relay = new Handshake({ secret, signatures: null, randomBytes }, "dialer", a);
    Object.assign(relay, { ownHello: dialer.ownHello });
    relay.takeHello(acceptor.ownHello);
    expect(relay.keys().sealing).not.toBe(dialer.keys().sealing);
  });

  it("names a share that everybody would share", () => {
    const acceptor = new Handshake({ secret, signatures: keyOf("b"), randomBytes }, "acceptor", b);
    const { ownHello } = new Handshake({ secret, signatures: keyOf("a"), randomBytes }, "dialer", a);
    const zero = { ...(JSON.parse(ownHello) as object), share: Buffer.alloc(32).toString("base64url") };
    expect(acceptor.takeHello(JSON.stringify(zero))).toBe("/share: must be an X25519 public key");
  });

  it("talks to a version that has no keys, as far as the gate lets it", () => {
    const older = new Handshake({ secret, signatures: null, randomBytes }, "dialer", a);
    const acceptor = new Handshake({ secret, signatures: null, randomBytes }, "acceptor", b);
    older.takeHello(acceptor.ownHello);
    expect(acceptor.takeHello(older.ownHello)).toMatchObject({ key: null });
    expect(JSON.parse(acceptor.ownHello)).not.toHaveProperty("key");
    expect(acceptor.prove(older.ownProof())).toBe("proven");
    expect(acceptor.keys().opening).toBe(older.keys().sealing);
  });
});
