/** Purpose: the top line: which pair, how the page is connected, and the way to a recorded run. */
import type { LineState } from "./connection.ts";

interface Props {
  readonly pair: string;
  readonly line: LineState | "replay";
  readonly title: string | null;
  readonly onFile: (text: string) => void;
  /** null: it is live already. */
  readonly onLive: (() => void) | null;
}

const WORDS: Readonly<Record<Props["line"], string>> = {
  connecting: "connecting",
  open: "live",
  lost: "no connection to this engine, trying again",
  "needs-token": "a token is needed",
  replay: "recorded run",
};

export function Header({ pair, line, title, onFile, onLive }: Props) {
  return (
    <header class="top">
      <h1>
        <span class="brand">Changeover</span>
        <span class="pair">{title ?? pair}</span>
      </h1>
      <p class={`line ${line}`} role="status">
        <span class="lamp" aria-hidden="true" />
        {WORDS[line]}
      </p>
      {onLive !== null && (
        <button type="button" onClick={onLive}>
          Back to live
        </button>
      )}
      <label class="button">
        Open a recorded run
        <input
          type="file"
          accept=".jsonl,.json,.ndjson"
          class="hidden-input"
          aria-label="Open a recorded run or a simulator's trace"
          onChange={(event) => {
            const [file] = event.currentTarget.files ?? [];
            if (file !== undefined) void file.text().then(onFile);
            event.currentTarget.value = "";
          }}
        />
      </label>
    </header>
  );
}
