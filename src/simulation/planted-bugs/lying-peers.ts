/**
 * Purpose: federation that breaks its promises, one at a time, for planted bugs: what an engine stands on forgets, or a
 * site does not do as its mode says.
 */
import type { FederationMode } from "../../replication/hub.ts";
import { parseCursor } from "../../replication/cursor.ts";
import { MADE_UP_ORIGINS } from "../world/inflation.ts";
import { type Liar, withOps } from "./lying-replicas.ts";
import { overriding } from "./overriding.ts";
import type { PlaceParts } from "../world/place-parts.ts";

const ID = /^peer:.*:id$/u;
const CURSOR = /^peer:site.*:cursor$/u;

/** Whom a peer was is not remembered. */
export const pinForgotten: Liar = (replica) => {
  const { peerState } = replica;
  const get = (key: string): string | null => (ID.test(key) ? null : peerState.get(key));
  return overriding(replica, { peerState: overriding(peerState, { get }) });
};

/** There is room for every writer that is ever offered. */
export const roomForAll: Liar = withOps((ops) => {
  const rooms = Object.fromEntries(MADE_UP_ORIGINS.map((origin) => [origin, 0]));
  return { vector: () => ({ ...rooms, ...ops.vector() }) };
});

/** The cursor goes on over what could not be taken. */
export const cursorPastFailed: Liar = (replica) => {
  const { peerState } = replica;
  const set = (key: string, value: string): void => {
    const at = CURSOR.test(key) ? parseCursor(value) : null;
    peerState.set(key, at === null ? value : JSON.stringify({ ...at, cursor: at.ahead }));
  };
  return overriding(replica, { peerState: overriding(peerState, { set }) });
};

/** A site of this mode gives and takes, as if it were in step with all. */
export function otherMode(mode: FederationMode): (given: PlaceParts) => PlaceParts {
  return (given) =>
    given.settings.mode === mode ? { ...given, settings: { ...given.settings, mode: "sync" } } : given;
}
