/** Purpose: the names of what stands in a statechart's definition, as people read them. */

/** The name of a guard or an action, however it was given; a combined guard by its parts: `and(isReady, mayCampaign)`. */
export function nameOf(thing: unknown): string {
  if (typeof thing === "string") return thing;
  const { type, guards, name } = thing as {
    readonly type?: unknown;
    readonly guards?: unknown;
    readonly name?: string;
  };
  if (Array.isArray(guards)) return `${name}(${guards.map(nameOf).join(", ")})`;
  if (typeof type === "string") return type;
  return name ?? "inline";
}

/** `xstate.after.600.leadership.follower` is a delay, `xstate.done.actor.lock` a step that ended, the empty name an eventless transition. */
export function eventName(type: string): string {
  const [, delay] = /^xstate\.after\.([^.]+)\./.exec(type) ?? [];
  if (delay !== undefined) return `after ${delay}`;
  const [, end, step] = /^xstate\.(done|error)\.actor\.(.+)$/.exec(type) ?? [];
  if (step !== undefined) return `${step === "*" ? "a step" : step} ${end === "done" ? "done" : "failed"}`;
  return type === "" ? "always" : type;
}
