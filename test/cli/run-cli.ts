/** Runs the command line as a user does: as a process of its own, with nothing of this test's environment in it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { BARE } from "../support/bare-environment.ts";

export interface CliEnd {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `changeover …args` to its end. */
export async function runCli(args: readonly string[], environment: Record<string, string> = {}): Promise<CliEnd> {
  const child = spawn(process.execPath, ["src/cli/main.ts", ...args], {
    env: { ...BARE, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (piece: Buffer) => (stdout += piece.toString()));
  child.stderr.on("data", (piece: Buffer) => (stderr += piece.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}
