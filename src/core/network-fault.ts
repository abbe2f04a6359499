/**
 * Why a connection failed, by the codes of the system, of Node and of TLS: one table for every part of the program that
 * speaks to others. Nothing here looks at the text of a message, so the words are safe to log and to show.
 */

/** As the health of a peer tells it. */
export type NetworkReason =
  "network_refused" | "network_timeout" | "network_dns" | "network_tls" | "network_reset" | "network_eof";

export interface NetworkFault {
  readonly reason: NetworkReason;
  /** As a person reads it. */
  readonly words: string;
}

const REFUSED: NetworkFault = { reason: "network_refused", words: "connection refused" };
const NO_ROUTE: NetworkFault = { reason: "network_refused", words: "no route to host" };
const TIMED_OUT: NetworkFault = { reason: "network_timeout", words: "connecting timed out" };
const NOT_FOUND: NetworkFault = { reason: "network_dns", words: "host not found" };
const RESET: NetworkFault = { reason: "network_reset", words: "connection reset" };
const ENDED: NetworkFault = { reason: "network_eof", words: "closed without a whole answer" };

const FAULTS: Readonly<Record<string, NetworkFault>> = {
  ECONNREFUSED: REFUSED,
  EHOSTUNREACH: NO_ROUTE,
  ENETUNREACH: NO_ROUTE,
  ENETDOWN: NO_ROUTE,
  EHOSTDOWN: NO_ROUTE,
  ETIMEDOUT: TIMED_OUT,
  ESOCKETTIMEDOUT: TIMED_OUT,
  ABORT_ERR: TIMED_OUT,
  ENOTFOUND: NOT_FOUND,
  EAI_AGAIN: NOT_FOUND,
  EAI_FAIL: NOT_FOUND,
  EAI_NODATA: NOT_FOUND,
  ECONNRESET: RESET,
  EPIPE: RESET,
  ECONNABORTED: RESET,
  HPE_INVALID_EOF_STATE: ENDED,
  UND_ERR_CONNECT_TIMEOUT: TIMED_OUT,
  UND_ERR_SOCKET: ENDED,
};

/** Words of OpenSSL and of Node for a certificate or a handshake that does not hold. */
const TLS_CODE = /^(EPROTO$|ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|INVALID_CA)/;

/** null: a code that is not known here. */
export function networkFault(code: string): NetworkFault | null {
  if (Object.hasOwn(FAULTS, code)) return FAULTS[code] ?? null;
  return TLS_CODE.test(code) ? { reason: "network_tls", words: `TLS refused (${code})` } : null;
}
