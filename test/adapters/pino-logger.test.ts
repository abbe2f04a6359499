/** The logger writes one JSON line a call, with its level, and never a secret. */
import { describe, expect, it } from "vitest";
import { type LogLevel, PinoLogger } from "../../src/adapters/pino-logger.ts";

function logger(level: LogLevel): { log: PinoLogger; lines: () => Record<string, unknown>[]; text: () => string } {
  const written: string[] = [];
  const log = new PinoLogger(
    { destination: { write: (line) => void written.push(line) } },
    { level, fields: { label: "a" } },
  );
  return {
    log,
    lines: () => written.map((line) => JSON.parse(line) as Record<string, unknown>),
    text: () => written.join(""),
  };
}

describe("PinoLogger", () => {
  it("writes level, constant message, own fields and the caller's", () => {
    const { log, lines } = logger("debug");
    log.debug({ epoch: 1 }, "one");
    log.info({ epoch: 2 }, "two");
    log.warn({ epoch: 3 }, "three");
    log.error({ epoch: 4 }, "four");
    const seen = lines().map(({ level, msg, label, epoch }) => [level, msg, label, epoch]);
    expect(seen).toEqual([
      ["debug", "one", "a", 1],
      ["info", "two", "a", 2],
      ["warn", "three", "a", 3],
      ["error", "four", "a", 4],
    ]);
  });

  it("leaves out what is below its level", () => {
    const { log, lines } = logger("warn");
    log.info({}, "unheard");
    log.warn({}, "heard");
    expect(lines().map(({ msg }) => msg)).toEqual(["heard"]);
  });

  it.each(["token", "secret", "password", "authorization", "controlPlaneSecret", "x-control-plane-secret"])(
    "never writes a field named %s, at the top or inside",
    (name) => {
      const { log, text } = logger("info");
      log.info({ [name]: "hush-0" }, "top");
      log.info({ request: { [name]: "hush-1" } }, "inside");
      log.info({ request: { headers: { [name]: "hush-2" } } }, "deep inside");
      expect(text()).not.toContain("hush");
      expect(text().match(/\[secret\]/g)).toHaveLength(3);
    },
  );

  it("writes an error with its message and stack", () => {
    const { log, lines } = logger("error");
    log.error({ error: new Error("the link is gone") }, "send failed");
    expect(lines()[0]).toMatchObject({ error: { message: "the link is gone", type: "Error" } });
  });

  it.each([
    ["an error whose message throws", Object.defineProperty(new Error(), "message", { get: throwing })],
    ["a proxy that shows nothing", new Proxy({}, { get: throwing, ownKeys: throwing, getPrototypeOf: throwing })],
  ])("writes the message with %s, and throws nothing", (_name, err) => {
    const { log, lines } = logger("error");
    log.error({ err }, "a hook failed");
    expect(lines()).toMatchObject([{ level: "error", msg: "a hook failed", label: "a" }]);
  });
});

function throwing(): never {
  throw new Error("not for your eyes");
}
