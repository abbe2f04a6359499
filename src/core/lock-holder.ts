/**
 * The name under which an engine's own recovery holds the reconcile lock. It bears label and epoch, so that the next
 * leader can tell whether the lock is left over [SB7]. Tools and people hold it under other names.
 */
import type { Epoch } from "./epoch.ts";
import type { Label } from "./ids.ts";

const HOLDER = /^engine ([ab]), epoch (\d{1,16})$/;

/** Whose lock it is, as everybody may read it. */
export function holderName(label: Label, epoch: Epoch): string {
  return `engine ${label}, epoch ${epoch}`;
}

/** The engine and the epoch that `holder` names; null: it is not the lock of an engine's own recovery. */
export function parseHolder(holder: string): { readonly label: Label; readonly epoch: Epoch } | null {
  const [, label, epoch] = HOLDER.exec(holder) ?? [];
  return label === undefined ? null : { label: label as Label, epoch: Number(epoch) };
}
