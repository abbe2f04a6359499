/** Purpose: every bound of the visualiser, by name. */

/** Inspection events that one engine keeps, and that one keeps of its peer. */
export const MAX_RECORDED = 10_000;
/** Events in one message. */
export const MAX_EVENTS_PER_MESSAGE = 500;
/** Viewers of one engine; more are asked to come back later. */
export const MAX_VIEWERS = 64;
/** Bytes of one message from the peer. */
export const MAX_RELAYED_BYTES = 4_194_304;
/** Time between two pushed states. */
export const STATE_EVERY_MS = 200;
/** Time between two questions to the witness about the reconcile lock. */
export const LOCK_EVERY_MS = 1_000;
/** Events of one moment go together. */
export const GATHER_MS = 20;
/** Entries of the leadership history that are pushed. */
export const SHOWN_LEADERSHIPS = 20;
/** Conflicts that are counted. */
export const COUNTED_CONFLICTS = 1_000;
/** Time before the peer is dialled again. */
export const REDIAL_MS = 500;
/** Silence after which the relayed peer counts as gone. */
export const SILENT_MS = 1_200;

/** Runs of the command log that a viewer is told: enough to find where two logs part after several changes of leader. */
export const SHOWN_RUNS = 8;
