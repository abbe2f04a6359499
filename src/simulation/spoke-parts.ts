/** Purpose: what one life of a spoke runs on, so that planted bugs can replace some of it. */
import type { Stamps } from "../actors/stamps.ts";
import type { MemoryDisk } from "../adapters/memory-disk.ts";
import type { ReplicationParts } from "../replication/parts.ts";

export interface SpokeParts {
  readonly parts: ReplicationParts;
  readonly stamps: Stamps;
  readonly disk: MemoryDisk;
}
