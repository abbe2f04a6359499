/**
 * Purpose: what is wrong with a configuration, said so that it can be mended: the key, the value, the bound.
 * Keeps true: a value is shown only where it cannot be a secret.
 */
import { ChangeoverError } from "../core/errors.ts";

/** One thing that is wrong. */
export interface Fault {
  /** Path of the key, `failover.leaseMs`, or the name of an environment variable. */
  readonly key: string;
  /** What stands there, as JSON; undefined where nothing does or where it must not be shown. */
  readonly value: string | undefined;
  /** What it must be, and how to mend it. */
  readonly bound: string;
}

/** How much of a value is shown. */
const SHOWN_CHARS = 80;

/** A fault that shows the value. */
export function fault(key: string, value: unknown, bound: string): Fault {
  if (value === undefined) return { key, value: undefined, bound };
  const shown = withoutPasswords(typeof value === "number" ? String(value) : JSON.stringify(value));
  return { key, value: shown.length > SHOWN_CHARS ? `${shown.slice(0, SHOWN_CHARS)}…` : shown, bound };
}

/** Text in which the password of every URL is hidden. */
export function withoutPasswords(text: string): string {
  return text.replace(/(:\/\/[^\s:@/"]*):[^\s"]*@/g, "$1:***@");
}

/** `failover.leaseMs is 500: must be >= 600`. */
export function describeFault({ key, value, bound }: Fault): string {
  return value === undefined ? `${key}: ${bound}` : `${key} is ${value}: ${bound}`;
}

/** The error that ends a start: every fault in one message, the first also as details. */
export function invalidConfiguration(source: string, faults: readonly Fault[]): ChangeoverError {
  const [first] = faults;
  const told = faults.map(describeFault).join("; ");
  return new ChangeoverError("invalid_configuration", `${source}: ${told}`, {
    details: { key: first?.key ?? "", value: first?.value ?? null, bound: first?.bound ?? "" },
  });
}
