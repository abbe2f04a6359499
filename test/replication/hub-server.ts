/** A hub behind real HTTP, for tests: the whole surface of an engine in front of one place. */
import { NanoIds, SystemClock } from "../../src/adapters/basics.ts";
import { HttpSyncTransport } from "../../src/adapters/http-sync-transport.ts";
import { buildApp } from "../../src/http/app.ts";
import type { HttpInit } from "../../src/http/components.ts";
import { KeptLog, OPEN } from "../http/rig.ts";
import { makePlace, originOf, type Place, type PlaceInit } from "../support/replication-node.ts";
import { ScriptedCoordinator } from "../support/scripted-coordinator.ts";

export interface HubServer {
  readonly place: Place;
  readonly url: string;
  /** The way to it for the place `name`. */
  wayFor(name: string): HttpSyncTransport;
  close(): Promise<void>;
}

/** Starts a hub on a free port of this machine. */
export async function startHub(
  init: Partial<PlaceInit> = {},
  port = 0,
  secrets: HttpInit["secrets"] = OPEN,
): Promise<HubServer> {
  const place = makePlace({ name: "hub", ...init });
  const coordinator = Object.assign(new ScriptedCoordinator(), { replication: place.replication });
  const app = await buildApp(
    {
      coordinator,
      clock: new SystemClock(),
      ids: new NanoIds(),
      logger: new KeptLog(),
      peerSockets: null,
      machines: [],
      machineViewers: null,
      pageFolder: null,
    },
    { label: "a", version: "0.1.0", secrets },
  );
  const url = await app.listen({ host: "127.0.0.1", port });
  return {
    place,
    url,
    wayFor: (name) => new HttpSyncTransport({ clock: place.clock }, { url, token: null, origin: originOf(name) }),
    close: async () => {
      place.replication.stop();
      await app.close();
    },
  };
}
