/**
 * Purpose: the person who looks after the federation: lets a site in again that was rebuilt, once that was told, and when
 * everything is well again asks those now that are backed off from, and those that a restored disk leaves paused.
 */
import type { Federation } from "../../replication/federation.ts";
import type { PeerStatus } from "../../replication/federation-peer.ts";
import type { World } from "../world/world.ts";

/** Looks at every peer of every place that runs. */
export function lookAfterPeers(world: World, { healed }: { readonly healed: boolean }): void {
  for (const { name, federation } of federations(world)) {
    try {
      for (const peer of federation.status().peers) lookAfter(world, { name, federation, peer, healed });
    } catch (error) {
      world.rejected(name, error);
    }
  }
}

interface Desk {
  readonly name: string;
  readonly federation: Federation;
}

/** Who runs and takes part. */
export function federations({ processes, sites }: World): readonly Desk[] {
  const engines = [processes.a, processes.b].flatMap(({ label, running, coordinator }) =>
    running && coordinator !== null ? [{ name: label, federation: coordinator.replication.federation }] : [],
  );
  const elsewhere = sites.flatMap(({ name, replication }) =>
    replication === null ? [] : [{ name, federation: replication.federation }],
  );
  return [...engines, ...elsewhere];
}

function lookAfter(
  world: World,
  { name, federation, peer, healed }: Desk & { readonly peer: PeerStatus; readonly healed: boolean },
): void {
  const site = world.sites.find((known) => known.name === peer.name);
  const engine = peer.name === "a" || peer.name === "b" ? world.processes[peer.name] : null;
  if (peer.state === "refused" && (site?.rebuilt === true || engine?.diskReplaced === true)) {
    // Told first: an engine that dies in the middle of it may have forgotten the peer already.
    world.watchers.each((watch) => watch.peerReset?.(name, peer.name));
    federation.reset(peer.name, { keyRotated: false });
    world.trace.note(world.nowMs, name, "resets", 0, peer.name);
    return;
  }
  if (!healed) return;
  // An older copy of a disk brings back the pause that stood when it was made.
  if (peer.state === "paused" && (name === "a" || name === "b") && world.processes[name].diskReplaced)
    federation.resume(peer.name);
  if (peer.state !== "backingOff") return;
  federation.pause(peer.name);
  federation.resume(peer.name);
}
