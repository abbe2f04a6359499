/** The reconcile lock as the text of one message in NATS. A free lock keeps its message, and with it the last fence. */
import { isReachable } from "../../core/reach.ts";
import type { LockId } from "../../core/ids.ts";

export interface LockText {
  /** null: nobody holds it. */
  readonly lockId: LockId | null;
  readonly holder: string;
  readonly fence: number;
  /** What it was acquired for, or last extended by, ms. */
  readonly ttlMs: number;
}

/** Nobody asks for a lock of a day: somebody else wrote it, and it must not stand for ever. */
const MAX_TTL_MS = 86_400_000;

export function lockToText(lock: LockText): string {
  return JSON.stringify(lock);
}

/** null: someone else has written there. */
export function lockFromText(text: string): LockText | null {
  try {
    const { lockId, holder, fence, ttlMs } = JSON.parse(text) as Record<keyof LockText, unknown>;
    const known =
      (lockId === null || typeof lockId === "string") &&
      typeof holder === "string" &&
      isReachable(fence) &&
      typeof ttlMs === "number" &&
      ttlMs >= 0 &&
      ttlMs <= MAX_TTL_MS;
    return known ? { lockId: lockId as LockId | null, holder, fence, ttlMs } : null;
  } catch {
    return null;
  }
}
