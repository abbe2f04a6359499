/** The forms of `witness.url`: each is taken apart or refused by name, and none gives a password away. */
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { parseRedisUrl, type RedisAddress } from "../../src/adapters/redis/address.ts";
import { RedisWitness } from "../../src/adapters/redis-witness.ts";
import { SystemClock } from "../../src/adapters/basics.ts";
import { ChangeoverError } from "../../src/core/errors.ts";

const open = { username: null, password: null, tls: false };

const UNDERSTOOD: [url: string, address: RedisAddress][] = [
  ["redis://127.0.0.1", { ...open, kind: "single", node: { host: "127.0.0.1", port: 6379 }, db: 0 }],
  ["redis://redis.plant:7000/2", { ...open, kind: "single", node: { host: "redis.plant", port: 7000 }, db: 2 }],
  ["redis://[fe80::1]:7000/", { ...open, kind: "single", node: { host: "fe80::1", port: 7000 }, db: 0 }],
  [
    "rediss://user:p%40ss:w%2Ford@h:1",
    { kind: "single", username: "user", password: "p@ss:w/ord", tls: true, node: { host: "h", port: 1 }, db: 0 },
  ],
  [
    "redis://:word@h",
    { kind: "single", username: null, password: "word", tls: false, node: { host: "h", port: 6379 }, db: 0 },
  ],
  [
    "redis+sentinel://s1:1,s2,s3:3/plant%20one",
    {
      ...open,
      kind: "sentinel",
      sentinels: [
        { host: "s1", port: 1 },
        { host: "s2", port: 26379 },
        { host: "s3", port: 3 },
      ],
      name: "plant one",
    },
  ],
  [
    "rediss+cluster://n1:1,n2:2",
    {
      ...open,
      tls: true,
      kind: "cluster",
      nodes: [
        { host: "n1", port: 1 },
        { host: "n2", port: 2 },
      ],
    },
  ],
];

const REFUSED: [url: string, expected: string][] = [
  ["", "redis://"],
  ["127.0.0.1:6379", "redis://"],
  ["http://h", "redis://"],
  ["redis://", "redis://"],
  ["redis://h?db=1", "redis://"],
  ["redis://h:0", "1 … 65535"],
  ["redis://h:65536", "1 … 65535"],
  ["redis://h:port", "1 … 65535"],
  ["redis://h1,h2", "one host"],
  ["redis://h/zero", "database number"],
  ["redis+sentinel://h1,h2", "the name"],
  ["redis+sentinel://h1,,h2/n", "1 … 65535"],
  ["redis+cluster://h1/3", "database 0"],
  ["redis://u:%zz@h", "%25"],
  [`redis+cluster://${"h,".repeat(40)}h`, "at most 32"],
];

describe("witness.url", () => {
  it.each(UNDERSTOOD)("takes %s", (url, address) => {
    expect(parseRedisUrl(url)).toEqual(address);
  });

  it.each(REFUSED)("refuses %s and says what is expected", (url, bound) => {
    expect(() => parseRedisUrl(url)).toThrow(ChangeoverError);
    expect(() => parseRedisUrl(url)).toThrow(bound);
    expect(() => parseRedisUrl(url)).toThrow("witness.url");
  });

  it.each(["redis://u:hunter2@h:x", "redis://hunter2@h@h:x", "what://a:hunter2@@@", "redis://u:%hunter2@h"])(
    "says nothing of the password in %s",
    (url) => {
      let thrown: unknown;
      try {
        parseRedisUrl(url);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toMatchObject({ code: "invalid_configuration", details: { field: "witness.url" } });
      expect(inspect(thrown, { depth: null })).not.toContain("hunter2");
    },
  );

  it("refuses a pair whose name would break its keys apart", () => {
    const make = (pair: string): RedisWitness =>
      new RedisWitness({ clock: new SystemClock() }, { url: "redis://127.0.0.1:1", pair });
    expect(() => make("")).toThrow("pair");
    expect(() => make("a}b")).toThrow("pair");
  });
});
