/** Every command, asked wrongly: one clear message, the documented exit code, nothing on standard output, no stack trace. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { afterAll, expect, test, vi } from "vitest";
import { WebSocketServer } from "ws";
import { unreachable } from "../../src/cli/client.ts";
import { buildProgram, run } from "../../src/cli/program.ts";

/** Each run listens for a reader that goes away. */
process.stdout.setMaxListeners(0);
process.stderr.setMaxListeners(0);
process.setMaxListeners(0);

/** Runs the command line in this process. */
async function cli(args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  let [stdout, stderr] = ["", ""];
  const out = vi.spyOn(process.stdout, "write").mockImplementation((text) => ((stdout += String(text)), true));
  const err = vi.spyOn(process.stderr, "write").mockImplementation((text) => ((stderr += String(text)), true));
  const before = process.exitCode;
  try {
    return { code: await run(["node", "changeover", ...args], "changeover"), stdout, stderr };
  } finally {
    out.mockRestore();
    err.mockRestore();
    process.exitCode = before;
  }
}

const SECRET_FILE = join(tmpdir(), `changeover-secret-${process.pid}`);
writeFileSync(SECRET_FILE, "a-secret-of-the-tests\n");

afterAll(() => {
  rmSync(join(tmpdir(), `changeover-no-recording-${process.pid}`), { force: true });
  rmSync(SECRET_FILE, { force: true });
});

interface Leaf {
  readonly name: string;
  readonly command: Command;
}

function leavesOf(command: Command, path: readonly string[] = []): Leaf[] {
  if (command.commands.length === 0) return [{ name: path.join(" "), command }];
  return command.commands.flatMap((inner) => leavesOf(inner, [...path, inner.name()]));
}

const LEAVES = leavesOf(buildProgram("changeover"));
const hasOption = ({ command }: Leaf, name: string): boolean => command.options.some(({ long }) => long === name);
const wanted = ({ command }: Leaf): number => command.registeredArguments.filter(({ required }) => required).length;

/** Arguments that a command takes, so that something else is what is wrong. */
const GIVEN: Readonly<Record<string, readonly string[]>> = {
  maintenance: ["on"],
  "conflicts resolve": ["cfl_1", "keep"],
  "ops skip": ["rec_x", "1"],
  "machines export": ["--running"],
  "machines record": [join(tmpdir(), `changeover-no-recording-${process.pid}`)],
};
const ENOUGH: Readonly<Record<string, readonly string[]>> = {
  "pair adopt": ["--yes"],
  "pair forget": ["--yes"],
  "pair reset-numbers": ["--yes"],
  "witness reset": ["--yes"],
  "federation reset-peer": ["--yes"],
};

function argumentsOf(leaf: Leaf): readonly string[] {
  const some = Array.from({ length: wanted(leaf) }, (_, at) => `x${at}`);
  return [...leaf.name.split(" "), ...(GIVEN[leaf.name] ?? some), ...(ENOUGH[leaf.name] ?? [])];
}

function isClear({ stdout, stderr }: { readonly stdout: string; readonly stderr: string }): void {
  expect(stdout).toBe("");
  expect(stderr).not.toMatch(/\n\s+at |node:internal|\[object|undefined/);
  expect(stderr.length).toBeGreaterThan(10);
}

test.each(LEAVES)("$name: an option that there is not", async (leaf) => {
  const end = await cli([...argumentsOf(leaf), ...needed(leaf), "--no-such-option"]);
  expect(end.code).toBe(2);
  isClear(end);
  expect(end.stderr).toContain("--no-such-option");
});

test.each(LEAVES.filter((leaf) => wanted(leaf) > 0))("$name: an argument is missing", async (leaf) => {
  const { name, command } = leaf;
  const end = await cli([...name.split(" "), ...needed(leaf)]);
  expect(end.code).toBe(2);
  isClear(end);
  expect(end.stderr).toContain(command.registeredArguments[0]?.name() ?? "");
});

const REACHING = LEAVES.filter((leaf) => hasOption(leaf, "--url"));

test("most commands speak to an engine", () => expect(REACHING.length).toBeGreaterThan(20));

test.each(REACHING)("$name: an address that is none, with a password in it, of another kind", async (leaf) => {
  for (const url of ["nonsense", "ftp://127.0.0.1:7401", "http://user:hush-hush@127.0.0.1:7401"]) {
    const end = await cli([...argumentsOf(leaf), ...needed(leaf), "--url", url]);
    expect(end.code).toBe(2);
    isClear(end);
    expect(end.stderr).toContain("--url");
    expect(end.stderr).not.toContain("hush-hush");
  }
});

test.each(REACHING)("$name: a token file that there is not", async (leaf) => {
  const end = await cli([...argumentsOf(leaf), ...needed(leaf), "--token-file", "/nowhere/token"]);
  expect(end.code).toBe(2);
  isClear(end);
  expect(end.stderr).toContain("/nowhere/token");
});

test.each(["\uFEFFtoken-of-the-tests", "töken-of-the-tests", "token of the tests", " ", "token\r\n-of-the-tests"])(
  "C3: the token %j, which no header carries unchanged, is refused before anyone is asked, and not shown",
  async (token) => {
    const file = join(tmpdir(), `changeover-odd-token-${process.pid}`);
    writeFileSync(file, token);
    try {
      const end = await cli(["status", "--url", "http://127.0.0.1:1", "--token-file", file]);
      expect(end.code).toBe(2);
      isClear(end);
      expect(end.stderr).toContain(`the file ${file}: must be printable ASCII without spaces`);
      expect(end.stderr).not.toContain("of-the-tests");
    } finally {
      rmSync(file, { force: true });
    }
  },
);

test("an address that fetch never dials says so", async () => {
  const end = await cli(["status", "--url", "http://127.0.0.1:6000"]);
  expect(end.code).toBe(3);
  expect(end.stderr).toContain("cannot reach http://127.0.0.1:6000: bad port");
});

test("a certificate that is not trusted says how to trust it", () => {
  const error = new TypeError("fetch failed", { cause: { code: "DEPTH_ZERO_SELF_SIGNED_CERT" } });
  const { exitCode, message } = unreachable("https://127.0.0.1:7401", error);
  expect(exitCode).toBe(3);
  expect(message).toMatch(/TLS refused \(DEPTH_ZERO_SELF_SIGNED_CERT\); .*NODE_EXTRA_CA_CERTS=FILE/);
});

test.each([
  [
    "a server that refuses",
    401,
    '{"code":"unauthorized","detail":"send a token"}',
    /refused \(401\) unauthorized: send/,
  ],
  ["a server that is no engine", 404, "nothing here", /answered 404, but not as an engine does/],
  ["a stream that is none", 426, "{}", /sent something else than an engine's stream/],
])("machines record: %s ends with 1, and what stood in the file stays", async (_what, status, body, said) => {
  const file = join(tmpdir(), `changeover-recording-${process.pid}`);
  writeFileSync(file, "an older recording");
  const server = createServer((_request, response) => void response.writeHead(status).end(body));
  new WebSocketServer({ server }).on("connection", (socket) => socket.send("{"));
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const end = await cli(["machines", "record", file, "--url", url, "--seconds", "60"]);
    expect(end.code).toBe(1);
    expect(end.stderr).toMatch(said);
    expect(end.stderr).not.toMatch(/\n\s+at /);
    expect(readFileSync(file, "utf8")).toBe("an older recording");
  } finally {
    rmSync(file);
    server.closeAllConnections();
    server.close();
  }
});

const ODD_ANSWERS: readonly (readonly [string, number, string])[] = [
  ["a web page", 200, "<!doctype html><html></html>"],
  ["an error page", 502, "<!doctype html><html></html>"],
  ["nothing", 200, ""],
  ["null", 200, "null"],
  ["a list", 200, "[]"],
  ["an empty object", 200, "{}"],
  ["an error that is none of an engine", 404, '{"code":5,"detail":{"a":1}}'],
  ["a text that ends too early", 200, '{"role":'],
  [
    "other things behind the right keys",
    200,
    '{"pair":0,"engineLabel":0,"role":0,"epoch":0,"peer":0,"witness":0,"alarms":0,"lastCommandSeq":0}',
  ],
];

test.each(ODD_ANSWERS)("every command: a server that answers with %s is no engine", async (_what, status, body) => {
  const server = createServer((_request, response) => void response.writeHead(status).end(body));
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    for (const leaf of REACHING) {
      const end = await cli([...argumentsOf(leaf), ...needed(leaf), "--url", url]);
      expect({ command: leaf.name, ...end }).toMatchObject({ command: leaf.name, code: 1 });
      const told = end.stdout + end.stderr;
      expect(told).toMatch(/not as an engine( of this version)? does|something else than an engine's stream|Stately/);
      expect(told).not.toMatch(/\n\s+at |\[object|undefined|NaN|Cannot /);
    }
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test("what an engine answers cannot colour the terminal", async () => {
  const problem = JSON.stringify({ code: "x", detail: "\u001b[31mred\u0007" });
  const server = createServer((_request, response) => void response.writeHead(503).end(problem));
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    for (const command of ["status", "doctor"]) {
      const { stdout, stderr } = await cli([command, "--url", url]);
      // eslint-disable-next-line no-control-regex -- these are what must not be there
      expect(stdout + stderr).not.toMatch(/[\u001b\u0007]/);
      expect(stdout + stderr).toContain("�[31mred�");
    }
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test("an answer without end is given up", async () => {
  const server = createServer((_request, response) => {
    const more = (): void => {
      while (response.write("x".repeat(1_048_576)));
    };
    response.writeHead(200).on("drain", more);
    more();
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  try {
    const end = await cli(["status", "--url", `http://127.0.0.1:${(server.address() as AddressInfo).port}`]);
    expect(end.code).toBe(3);
    expect(end.stderr).toMatch(/cannot reach .*: (it answered with more than \d+ bytes|no answer within 5000 ms)/);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

/** `watch` goes on until a person ends it, `doctor` makes a finding of it. */
const ASKING = REACHING.filter(({ name }) => name !== "watch" && name !== "doctor");

test.each(ASKING)("$name: an engine that does not run", async (leaf) => {
  const end = await cli([...argumentsOf(leaf), ...needed(leaf), "--url", "http://127.0.0.1:1"]);
  expect(end.code).toBe(3);
  isClear(end);
  expect(end.stderr).toMatch(/cannot reach http:\/\/127\.0\.0\.1:1: .*--url or CHANGEOVER_URL/);
});

const CONFIGURED = LEAVES.filter((leaf) => hasOption(leaf, "--config"));

test.each(CONFIGURED)("$name: a configuration that there is not", async (leaf) => {
  const yes = hasOption(leaf, "--yes") ? ["--yes"] : [];
  const end = await cli([...argumentsOf(leaf), ...yes, "-c", "/nowhere/engine.yaml"]);
  expect(end.code).not.toBe(0);
  expect(end.stdout + end.stderr).toContain("/nowhere/engine.yaml");
  expect(end.stderr).not.toMatch(/\n\s+at /);
});

test.each([
  [["handover", "--at", "yesterday"], /--at is "yesterday": must be a time such as 18:00, .*\+10m/],
  [["handover", "--at", "25:00"], /--at is "25:00": must be a time/],
  [["handover", "--at", "2020-01-01T00:00:00Z"], /--at is "2020-01-01T00:00:00Z": must be later than now/],
  [["handover", "--at", "+1h", "--cancel"], /--cancel and --at contradict each other/],
  [["maintenance", "maybe"], /maybe.*on, off/s],
  [["force-leader", "--mode", "gentle"], /gentle.*graceful, immediate/s],
  [["force-leader", "--expected-epoch", "-1"], /whole number from 0/],
  [["force-leader"], /CHANGEOVER_CONTROL_PLANE_SECRET or give --secret-file/],
  [["restore", "/nowhere", "--yes"], /--config/],
  [["backup", "--to", "."], /--to is "\.": must be a folder that does not exist yet, or an empty one/],
  [["pair", "adopt", "", "--yes"], /must not be empty/],
  [["pair", "adopt", "sha256:00"], /nobody can be asked here; give --yes/],
  [["witness", "reset"], /nobody can be asked here; give --yes/],
  [["conflicts", "resolve", "cfl_1", "keep", "--value", "1"], /--value has no place when the choice is keep/],
  [["conflicts", "resolve", "cfl_1", "value", "--value", "9007199254740993"], /--value is 9007199254740993, .*string/],
  [["conflicts", "resolve", "cfl_1", "value", "--value", '{"a":[9007199254740993]}'], /--value at \/a\/0 is 90071/],
  [["statsu"], /unknown command 'statsu'/],
  [["ops", "tail", "-n", "many"], /whole number from/],
] as const)("%j", async (args, said) => {
  const end = await cli(args);
  expect(end.code).toBe(2);
  isClear(end);
  expect(end.stderr).toMatch(said);
});

/** What else a command must have before it looks for an engine. */
function needed(leaf: Leaf): readonly string[] {
  if (leaf.name === "force-leader") return ["--secret-file", SECRET_FILE];
  if (leaf.name === "restore") return ["-c", "config/engine-a.yaml"];
  if (leaf.name === "sync") return ["--hub", "http://127.0.0.1:1"];
  return [];
}

const NAMING = ["federation pause", "federation reset-peer", "federation release", "ops skip", "outbox retry"];

test.each(LEAVES.filter(({ name }) => NAMING.includes(name)))("$name: a name that is empty", async (leaf) => {
  const rest = leaf.name === "ops skip" ? ["1"] : [];
  const end = await cli([...leaf.name.split(" "), " ", ...rest, ...(ENOUGH[leaf.name] ?? [])]);
  expect(end.code).toBe(2);
  isClear(end);
  expect(end.stderr).toContain("must not be empty");
});

test("an empty file for a token, and an address with a query, are named", async () => {
  const empty = join(tmpdir(), `changeover-empty-${process.pid}`);
  writeFileSync(empty, "\n");
  const end = await cli(["status", "--token-file", empty]);
  rmSync(empty);
  expect([end.code, end.stderr]).toEqual([2, `changeover: the file ${empty}: is empty; it must hold the secret\n`]);
  const query = await cli(["sync", "--once", "--hub", "http://127.0.0.1:7401/?x=1"]);
  expect([query.code, query.stderr]).toEqual([
    2,
    'changeover: --hub is "http://127.0.0.1:7401/?x=1": must have no query and no fragment\n',
  ]);
});

test.each([
  ["http://127.0.0.1:7401", ["--ca", "/ca.pem"], '--ca is "/ca.pem": means nothing over http:'],
  ["https://127.0.0.1:7401", ["--cert", "/c.pem"], "--key: missing; must be the file of the private key of --cert"],
  ["https://127.0.0.1:7401", ["--key", "/k.pem"], "--cert: missing; must be the file of the certificate of --key"],
])("sync: files of TLS without effect: %s %j", async (hub, args, told) => {
  const end = await cli(["sync", "--once", "--hub", hub, ...args]);
  expect(end.code).toBe(2);
  isClear(end);
  expect(end.stderr).toContain(told);
});
