/** Purpose: what one life of a spoke or a site runs on, so that planted bugs can replace some of it. */
import type { Stamps } from "../../actors/stamps.ts";
import type { MemoryDisk } from "../../adapters/memory-disk.ts";
import type { ReplicationParts } from "../../replication/parts.ts";
import type { ReplicationInit } from "../../replication/replication.ts";

export interface PlaceParts {
  readonly parts: ReplicationParts;
  readonly settings: ReplicationInit;
  readonly stamps: Stamps;
  readonly disk: MemoryDisk;
}
