/** Why a connection failed, in words that are safe to log and to show. The table is in `core/network-fault.ts`. */
import { networkFault } from "../core/network-fault.ts";

/** null: the error and its causes bear no code that is known. */
export function systemReason(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  const words = systemCodeReason((error as NodeJS.ErrnoException).code ?? "");
  return words ?? (error.cause === undefined ? null : systemReason(error.cause));
}

/** null: a code that is not known. */
export function systemCodeReason(code: string): string | null {
  return networkFault(code)?.words ?? null;
}
