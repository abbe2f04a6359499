/** Purpose: joins the outbox to one coordinator: when it may publish, and whom it tells. */
import type { Kit } from "../actors/kit.ts";
import type { Succession } from "../actors/succession.ts";
import { DEFAULT_OUTBOX } from "../core/settings.ts";
import type { PeerMessage } from "../core/messages.ts";
import { Outbox } from "../outbox/outbox.ts";

export function joinOutbox(
  kit: Kit,
  pair: { readonly succession: Succession; answeredSeq(): number; send(message: PeerMessage): boolean },
): Outbox {
  const { ports, options, alarms } = kit;
  const { book, leadership } = pair.succession;
  const leads = (): boolean => leadership.role === "leader";
  return new Outbox(
    { ...ports, sink: ports.sink ?? null, host: kit },
    { ...DEFAULT_OUTBOX, ...options.outbox, tenantId: options.pair },
    {
      leads,
      mayPublish: () => (leadership.mayAct() ? book.accepted : null),
      mayWriteBack: (epoch) => leads() && kit.rules.writesBack(epoch, book.accepted),
      answeredSeq: () => pair.answeredSeq(),
      tellPeer: (marks, feedId) =>
        void pair.send({ type: "outbox-marks", epoch: book.accepted, marks, ...(feedId === null ? {} : { feedId }) }),
      published: ({ stackId, published: events, duplicates, latencyMs }) => {
        if (events > 0) kit.emit({ type: "published", stackId, events, duplicates, latencyMs });
      },
      alarm: (code, raised, detail) => alarms.set(code, raised, detail),
    },
  );
}
