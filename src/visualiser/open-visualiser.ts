/** Joins the parts of the visualiser of one engine. */
import type { Coordinator } from "../coordinator/types.ts";
import type { Label } from "../core/ids.ts";
import type { Clock } from "../ports/basics.ts";
import type { ShownSettings } from "./inspected.ts";
import { OwnSource } from "./own-source.ts";
import { PeerSource } from "./peer-source.ts";
import type { Recorder } from "./recorder.ts";
import { Viewers } from "./viewers.ts";

export interface VisualiserInit {
  readonly label: Label;
  readonly settings: ShownSettings;
  /** The peer's HTTP surface; null: it is not shown. */
  readonly peerUrl: string | null;
  /** With which this engine looks at its peer; null in open mode. */
  readonly token: string | null;
  /** Authorities of the peer's certificate, PEM; left out: the system's. */
  readonly ca?: string;
}

/** Nothing runs before the first viewer. */
export function openVisualiser(
  components: { readonly coordinator: Coordinator; readonly clock: Clock; readonly recorder: Recorder },
  { label, settings, peerUrl, token, ...tls }: VisualiserInit,
): Viewers {
  const { heartbeatMs, leaseMs, campaignWaitMs, missLimit, reconcileLockMs } = settings;
  const shown = { heartbeatMs, leaseMs, campaignWaitMs, missLimit, reconcileLockMs };
  const own = new OwnSource(components, { label, settings: shown });
  const peer = peerUrl === null ? null : new PeerSource(components, { label, url: peerUrl, token, ...tls });
  return new Viewers({ clock: components.clock, own, peer });
}
