/**
 * A spoke that writes and exchanges until it is killed: a number that rises under its own name, said on stdout once it is
 * durable. Run by `crash.test.ts`: hub address, folder, name.
 */
import { writeSync } from "node:fs";
import { openSpoke } from "../../src/host/spoke.ts";

const [hubUrl = "", dataDir = "", name = ""] = process.argv.slice(2);
const silent = (): void => undefined;
const spoke = openSpoke({
  dataDir,
  hubUrl,
  token: null,
  intervalMs: 1_000,
  logger: { debug: silent, info: silent, warn: silent, error: silent },
  onProgress: silent,
  onExchanged: silent,
});
const { records } = spoke.replication;
for (let n = Number(records.get("count", name)?.value ?? 0) + 1; ; n += 1) {
  records.set("count", name, n);
  writeSync(1, `${n}\n`);
  if (n % 3 === 0) await spoke.replication.spoke?.exchangeNow();
}
