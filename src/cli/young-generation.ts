/**
 * Keeps an engine's start from leaving 30 MB of used pages behind: V8 doubles the space for new objects whenever
 * much of it survives, as it does while a program loads, and hardly ever gives it back.
 * Why it matters: the kernel frees the memory of a killed process before it closes its sockets, and the follower waits
 * for that close. So the memory of an engine is take-over time.
 * Only the start is held small. Under load the space may grow, or each request would cost half as much again.
 */
import { setFlagsFromString } from "node:v8";

/** Before the program is loaded. */
export function holdYoungGeneration(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
}

/** V8's own setting again. */
export function releaseYoungGeneration(): void {
  setFlagsFromString("--semi-space-growth-factor=2");
}
