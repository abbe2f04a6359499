/**
 * Every bound of the HTTP surface, by name. What is beyond one is refused, never kept waiting without end.
 */

/** Bytes of a request body. */
export const BODY_LIMIT_BYTES = 1_048_576;
/** Bytes of a state snapshot that is posted. */
export const SNAPSHOT_LIMIT_BYTES = 33_554_432;
/** Bodies above this many bytes are parsed in slices, so that heartbeats go on meanwhile. */
export const PATIENT_ABOVE_BYTES = 262_144;

/** Characters of one variable of a path, as it is encoded: longer ones name nothing that exists. */
export const MAX_PARAM_CHARS = 1_152;
/** Characters of a request id, an idempotency key and a holder's name. */
export const MAX_NAME_CHARS = 128;
/** Characters of a reason that a person gives. */
export const MAX_REASON_CHARS = 512;
/** Characters of a command's kind. */
export const MAX_KIND_CHARS = 1_024;
/** Entries of one page of commands, history or conflicts. */
export const MAX_PAGE = 1_000;
export const DEFAULT_PAGE = 100;

/** TTL of the reconcile lock, ms. */
export const MIN_LOCK_TTL_MS = 1_000;
export const MAX_LOCK_TTL_MS = 120_000;
export const DEFAULT_LOCK_TTL_MS = 30_000;

/** Wrong secrets from one address within the window; the next one is not looked at. */
export const MAX_WRONG_SECRETS = 10;
/** The same from all addresses together. */
export const MAX_WRONG_SECRETS_IN_TOTAL = 100;
export const WRONG_SECRETS_WINDOW_MS = 60_000;
/** Addresses whose wrong secrets are remembered; the oldest is forgotten first. */
export const MAX_WATCHED_ADDRESSES = 10_000;

/** Sockets of the HTTP surface; more are closed as they come. */
export const MAX_CONNECTIONS = 8_192;
/** Time for the head of a request: who sends it byte by byte is cut off. */
export const HEADERS_TIMEOUT_MS = 10_000;
/** Time for a whole request, its body included. */
export const REQUEST_TIMEOUT_MS = 30_000;
/** Time for the rest of a refused body, when the connection closes after the answer. */
export const HEAR_OUT_MS = 2_000;
/** Silence after which a connection that is not a WebSocket is closed. */
export const CONNECTION_TIMEOUT_MS = 60_000;
/** How long a connection stays open for the next request. */
export const KEEP_ALIVE_MS = 30_000;
/** How often the time-outs above are checked. */
export const CONNECTION_CHECK_MS = 2_000;
/** Time for answers under way when the surface closes. */
export const CLOSE_GRACE_MS = 1_000;

/** Bytes of one frame of the peer channel, as both sides of it have agreed. */
export const PEER_FRAME_LIMIT_BYTES = 2_097_152;
/** Bytes of one message on the control channel. */
export const CONTROL_FRAME_LIMIT_BYTES = 1_048_576;
/** Bytes of one message of a viewer of the statecharts, which has nothing to say. */
export const VIEWER_FRAME_LIMIT_BYTES = 1_024;
/** Clients of the control channel. */
export const MAX_CONTROL_CLIENTS = 256;
/** Commands of one control client that are not yet answered. */
export const MAX_CONTROL_PENDING = 256;
/** Bytes that wait to be read by one control client; past it the connection is ended. */
export const MAX_CONTROL_BACKLOG_BYTES = 2_097_152;
/** Time between two pushed states of one engine. */
export const STATE_PUSH_MS = 50;
