/** Why a connection failed, by the codes of the system and of TLS: words that are safe to log and to show. */

/** By the system's error code. */
const SYSTEM: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  EPIPE: "connection reset",
  ETIMEDOUT: "connecting timed out",
  ENOTFOUND: "host not found",
  EAI_AGAIN: "host not found",
  EHOSTUNREACH: "no route to host",
  ENETUNREACH: "no route to host",
  ENETDOWN: "no route to host",
};

const TLS_CODES = /^(CERT_|ERR_TLS|ERR_SSL|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/;

/** null: the error and its causes bear no code that is known here. */
export function systemReason(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  const reason = systemCodeReason((error as NodeJS.ErrnoException).code ?? "");
  return reason ?? (error.cause === undefined ? null : systemReason(error.cause));
}

/** null: a code that is not known here. */
export function systemCodeReason(code: string): string | null {
  if (code in SYSTEM) return SYSTEM[code] as string;
  return TLS_CODES.test(code) ? `TLS refused (${code})` : null;
}
