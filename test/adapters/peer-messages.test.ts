/** The codec lets through exactly what the types say, and says what is wrong with everything else. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeMessage, encodeMessage } from "../../src/adapters/peer-messages.ts";
import { SAMPLES, sampleCommand } from "../core/sample-messages.ts";

const samples = Object.values(SAMPLES);

/** Where a message holds any JSON or names of the sender's choice: a stranger there is no fault of shape. */
/** Looked at where they are taken in: any JSON passes here. */
const FREE = /(^|\.)(payload|clock|state|vector|ops|value)(\.|$)/;

interface Place {
  readonly path: string;
  /** The object or list that holds it, in a fresh copy of the message. */
  readonly holder: Record<string, unknown>;
  readonly key: string;
  readonly message: unknown;
}

/** Every place in a message, each in its own copy of it. */
function places(sample: object): Place[] {
  const paths: string[][] = [];
  const walk = (value: unknown, path: string[]): void => {
    if (path.length > 0) paths.push(path);
    if (value === null || typeof value !== "object") return;
    for (const [key, item] of Object.entries(value)) walk(item, [...path, key]);
  };
  walk(sample, []);
  return paths.map((path) => {
    const message: unknown = structuredClone(sample);
    let holder = message as Record<string, unknown>;
    for (const step of path.slice(0, -1)) holder = holder[step] as Record<string, unknown>;
    return { path: path.join("."), holder, key: path.at(-1) ?? "", message };
  });
}

describe("message codec", () => {
  it.each(samples)("$type comes back as it was", (message) => {
    expect(decodeMessage(encodeMessage(message))).toEqual({ outcome: "decoded", value: message });
  });

  it.each(samples)("$type: a missing field is refused by name", (sample) => {
    for (const { path, holder, key, message } of places(sample)) {
      if (Array.isArray(holder) || FREE.test(path)) continue;

      delete holder[key];
      const decoded = decodeMessage(JSON.stringify(message));
      expect(decoded, path).toMatchObject({
        outcome: "refused",
        reason: expect.stringContaining(`/${key}: is missing`) as string,
      });
    }
  });

  it.each(samples)("$type: an unknown field is refused by name, at every depth", (sample) => {
    for (const { path, holder, message } of places(sample)) {
      if (Array.isArray(holder) || FREE.test(path)) continue;
      holder["smuggled"] = 1;
      const decoded = decodeMessage(JSON.stringify(message));
      expect(decoded, path).toMatchObject({
        outcome: "refused",
        reason: expect.stringContaining("/smuggled: is an unknown field") as string,
      });
    }
  });

  it.each(samples)("$type: a value of another kind is refused, wherever it stands", (sample) => {
    for (const stranger of [{ nobody: true }, -1, ["x"]]) {
      for (const { path, holder, key, message } of places(sample)) {
        if (FREE.test(path) && (key !== "clock" || path.startsWith("ops."))) continue;
        holder[key] = stranger;
        expect(decodeMessage(JSON.stringify(message)).outcome, path).toBe("refused");
      }
    }
  });
});

describe("message codec: bounds", () => {
  it.each([
    ["n", 0],
    ["n", 1.5],
    ["n", 2 ** 53],
    ["epoch", -1],
    ["sentAtMonoMs", "1"],
    ["label", "c"],
    ["role", "master"],
    ["engineId", "inc_1"],
    ["engineId", `eng_${"x".repeat(64)}`],
    ["version", "x".repeat(5_000)],
    ["clock", Object.fromEntries(Array.from({ length: 257 }, (_, index) => [`eng_${index}`, 1]))],
    ["clock", { eng_1: -1 }],
    ["log", [1, 2]],
  ])("a heartbeat's %s may not be %j", (field, value) => {
    const text = JSON.stringify({ ...SAMPLES.heartbeat, [field]: value });
    const decoded = decodeMessage(text);
    expect(decoded).toMatchObject({
      outcome: "refused",
      reason: expect.stringContaining(`heartbeat/${field}: is `) as string,
    });
    expect(decoded.outcome === "refused" && decoded.reason.length).toBeLessThan(200);
  });

  it("a payload nested deeper than canonical JSON can follow is refused", () => {
    const nested = (depth: number): string => `${"[".repeat(depth)}1${"]".repeat(depth)}`;
    const withPayload = (payload: string): string =>
      JSON.stringify({ ...SAMPLES.replicate, commands: [{ ...sampleCommand, payload: "@" }] }).replace('"@"', payload);
    expect(decodeMessage(withPayload(nested(128))).outcome).toBe("decoded");
    expect(decodeMessage(withPayload(nested(129))).outcome).toBe("refused");
    expect(decodeMessage(withPayload(nested(200_000))).outcome).toBe("refused");
  });

  it("a clock keyed by __proto__ is refused and touches nothing", () => {
    const text = JSON.stringify(SAMPLES.heartbeat).replace('"eng_other"', '"__proto__"');
    expect(decodeMessage(text).outcome).toBe("refused");
  });

  it("an unknown type is refused by name", () => {
    expect(decodeMessage('{"type":"reboot"}')).toMatchObject({
      outcome: "refused",
      reason: 'message/type: is "reboot", which is no known type',
    });
    expect(decodeMessage(`{"type":${"[".repeat(20_000)}${"]".repeat(20_000)}}`)).toMatchObject({
      outcome: "refused",
      reason: "message/type: is nested deeper than 128, which is no known type",
    });
    for (const type of ["toString", "__proto__", "constructor"]) {
      expect(decodeMessage(JSON.stringify({ type })).outcome).toBe("refused");
    }
  });
});

describe("message codec: anything at all", () => {
  it("never throws on any text", () => {
    fc.assert(
      fc.property(fc.string(), (text) => decodeMessage(text).outcome === "refused"),
      { numRuns: 2_000 },
    );
  });

  it("never throws on any JSON, nor lets through what it would not write", () => {
    const junk = fc.json({ maxDepth: 4 });
    fc.assert(
      fc.property(fc.constantFrom(...samples), fc.nat(), junk, (sample, pick, value) => {
        const all = places(sample);
        const place = all[pick % all.length];
        if (place === undefined) return true;
        place.holder[place.key] = JSON.parse(value) as unknown;
        const text = JSON.stringify(place.message);
        const decoded = decodeMessage(text);
        return decoded.outcome === "refused" || encodeMessage(decoded.value) === text;
      }),
      { numRuns: 3_000 },
    );
  });

  it("never throws on a message cut short or with a changed character", () => {
    fc.assert(
      fc.property(fc.constantFrom(...samples), fc.nat(), fc.string({ maxLength: 2 }), (sample, at, patch) => {
        const whole = encodeMessage(sample);
        const cut = at % whole.length;
        expect(decodeMessage(whole.slice(0, cut)).outcome).toBe("refused");
        decodeMessage(whole.slice(0, cut) + patch + whole.slice(cut + patch.length));
      }),
      { numRuns: 2_000 },
    );
  });
});
