/** A real full disk: a small tmpfs in a mount namespace of its own. Needs root, or user namespaces. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { UNMET_NEED } from "../support/left-out-reporter.ts";

const FILLER = join(import.meta.dirname, "sqlite-store-full-disk-process.ts");
const MOUNT_AND_RUN = 'mount -t tmpfs -o size=6m tmpfs "$1" && shift && exec "$@"';

/** As root a mount namespace is enough; anyone else needs to be root in a user namespace. */
const UNSHARE = ["unshare", "--mount", ...(process.getuid?.() === 0 ? [] : ["--map-root-user"])];

function mayMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), "changeover-mount-"));
  const [command = "", ...flags] = UNSHARE;
  const { status } = spawnSync(command, [...flags, "sh", "-c", MOUNT_AND_RUN, "sh", folder, "true"]);
  rmSync(folder, { recursive: true });
  return status === 0;
}

const ci = process.env["CI"] === "true";
const able = ci || mayMount();
const title = able ? "a full disk" : `a full disk — ${UNMET_NEED} the right to mount (run as root)`;

describe.skipIf(!able)(title, () => {
  it("is said to be full, nothing is changed, and writing goes on once there is room", () => {
    const disk = mkdtempSync(join(tmpdir(), "changeover-disk-"));
    try {
      const [command = "", ...flags] = UNSHARE;
      const filler = [...flags, "sh", "-c", MOUNT_AND_RUN, "sh", disk, process.execPath, FILLER, disk];
      const said = JSON.parse(execFileSync(command, filler, { encoding: "utf8" })) as Record<string, unknown>;
      expect(said).toMatchObject({ code: "store_full", unchanged: true, whole: true });
      expect(said["acknowledged"]).toBeGreaterThan(20);
    } finally {
      rmSync(disk, { recursive: true, force: true });
    }
  });
});
