/** The top line: which pair, how the page is connected, and the way to a recorded run. */
import type { LineState } from "./connection.ts";

interface Props {
  readonly pair: string;
  /** null: nothing is told, a recorded run is shown. */
  readonly line: LineState | null;
  readonly title: string | null;
  readonly onFile: (text: string) => void;
  /** null: it is live already. */
  readonly onLive: (() => void) | null;
}

function words(line: LineState | null): string {
  switch (line?.kind) {
    case undefined:
      return "recorded run";
    case "connecting":
      return "connecting";
    case "open":
      return `live, as engine ${line?.engine.toUpperCase()} tells it`;
    case "lost":
      return "no connection to either engine, trying again";
    case "needs-token":
      return "a token is needed";
  }
}

export function Header({ pair, line, title, onFile, onLive }: Props) {
  return (
    <header class="top">
      <h1>
        <span class="brand">Changeover</span>
        <span class="pair">{title ?? pair}</span>
      </h1>
      <p class={`line ${line?.kind ?? "replay"}`} role="status">
        <span class="lamp" aria-hidden="true" />
        {words(line)}
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
