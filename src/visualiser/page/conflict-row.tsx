/** One conflict: both sides of it, and the choices that a person has. */
import { useState } from "preact/hooks";
import type { Json } from "../../core/canonical-json.ts";
import type { Conflict } from "../../core/command.ts";
import { ValueForm } from "./value-form.tsx";

/** What a person decides, as the engine takes it. */
export type Choice = { readonly choice: "keep" | "reapply" } | { readonly choice: "value"; readonly value: Json };

interface Props {
  readonly conflict: Conflict;
  /** Who made something, in words. */
  readonly nameOf: (origin: string) => string;
  readonly onResolve: (id: string, choice: Choice) => Promise<void>;
}

const WORDS = {
  command: { reapply: "Send it again", value: "Send another body" },
  record: { reapply: "Take the other one", value: "Set another value" },
} as const;

export function ConflictRow({ conflict, nameOf, onResolve }: Props) {
  const { id, kind, divergent, standing, outcome, reason, resolution } = conflict;
  const [typing, setTyping] = useState(false);
  const subject = conflict.kind === "record" ? `${conflict.entity} · ${conflict.field}` : divergent.kind;
  // Also what was settled by rule may be settled otherwise, once.
  const isOpen = resolution === null;
  const choose = (choice: Choice): void => void onResolve(id, choice);
  return (
    <article class={`conflict ${outcome}`} aria-label={`Conflict ${subject}`} data-conflict={id}>
      {conflict.kind === "record" && <h3 class="subject">{subject}</h3>}
      <Side title="did not stand" sides={[divergent]} nameOf={nameOf} />
      <Side title="stands" sides={standing} nameOf={nameOf} />
      <footer>
        <span class="chip">{outcome}</span>
        <span class="small">{resolution === null ? reason : `${resolution.choice} by ${resolution.by}`}</span>
        {isOpen && !typing && (
          <>
            <Button text="Keep what stands" {...{ subject }} onPress={() => choose({ choice: "keep" })} />
            <Button text={WORDS[kind].reapply} {...{ subject }} onPress={() => choose({ choice: "reapply" })} />
            <Button text={`${WORDS[kind].value} …`} {...{ subject }} onPress={() => setTyping(true)} />
          </>
        )}
      </footer>
      {isOpen && typing && (
        <ValueForm
          subject={subject}
          first={divergent.payload}
          word={WORDS[kind].value}
          onValue={(value) => choose({ choice: "value", value })}
          onCancel={() => setTyping(false)}
        />
      )}
    </article>
  );
}

function Button({ text, subject, onPress }: { text: string; subject: string; onPress: () => void }) {
  return (
    <button type="button" onClick={onPress} aria-label={`${text}, ${subject}`}>
      {text}
    </button>
  );
}

type OneSide = Conflict["divergent"];

function Side({ title, sides, nameOf }: { title: string; sides: readonly OneSide[]; nameOf: Props["nameOf"] }) {
  return (
    <div class="side">
      <h3>{title}</h3>
      {sides.length === 0 && <p class="quiet">nothing of the same kind</p>}
      {sides.map(({ origin, originSeq, kind, payload, ...at }) => (
        <p key={`${origin}/${originSeq}`}>
          <b>{kind}</b>{" "}
          <span class="small">
            {"seq" in at && at.seq !== undefined ? `epoch ${at.epoch}, seq ${at.seq}, ` : ""}
            {nameOf(origin)}
          </span>
          <code>{JSON.stringify(payload)}</code>
        </p>
      ))}
    </div>
  );
}
