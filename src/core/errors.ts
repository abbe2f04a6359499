/**
 * The one error that Changeover throws. Expected outcomes are returned, not thrown; this is for what stops a
 * call or a start. Only the HTTP layer turns it into a problem document, only the command line into an exit code.
 */
/** What went wrong, in stable words that programs may compare. */
export type ErrorCode =
  | "invalid_configuration"
  | "unsupported_runtime"
  | "address_in_use"
  | "data_folder_unusable"
  | "store_corrupt"
  | "store_too_new"
  | "store_in_use"
  | "store_full"
  | "store_failed"
  | "wrong_pair"
  | "corrupt_clock"
  | "clock_cap"
  | "clock_drift"
  | "invalid_value"
  | "invalid_event"
  | "artifact_missing"
  | "checksum_mismatch"
  | "witness_unreachable"
  | "feed_unreachable"
  | "feed_lost"
  | "engine_not_ready"
  | "stopped";

/** Values that explain an error: the field, the value, the bound. Never a secret. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | null>>;

/** The typed error of the whole project. */
export class ChangeoverError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;
  /** Whether the same call may succeed later without anything being mended by hand. */
  readonly retryable: boolean;

  constructor(
    code: ErrorCode,
    message: string,
    options: { details?: ErrorDetails; cause?: unknown; retryable?: boolean } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "ChangeoverError";
    this.code = code;
    this.details = options.details ?? {};
    this.retryable = options.retryable ?? false;
  }
}

// The two ways in which code says "this cannot happen". A broken invariant stops with a message instead of going on
// with a wrong state.

/** Throws when `condition` does not hold. For invariants, never for input. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`broken invariant: ${message}`);
}

/** Ends a switch over a closed union: a forgotten member does not compile. */
export function assertNever(value: never): never {
  throw new Error(`broken invariant: unexpected value ${JSON.stringify(value)}`);
}
