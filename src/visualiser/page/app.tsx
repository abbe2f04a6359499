/** Purpose: the page as a whole: what is shown live, what is shown of the past, and what comes from a file. */
import { useEffect, useMemo, useReducer, useState } from "preact/hooks";
import { readTrace, type TraceHeader } from "../trace-file.ts";
import { Charts } from "./charts.tsx";
import { Conflicts } from "./conflicts.tsx";
import { Connection, type LineState } from "./connection.ts";
import { DemoFaults } from "./demo-faults.tsx";
import { EnginePanel } from "./engine-panel.tsx";
import { EventLog } from "./event-log.tsx";
import { Header } from "./header.tsx";
import { History } from "./history.tsx";
import { Model } from "./model.ts";
import { Recorder } from "./recorder.tsx";
import { Tally } from "./tally.tsx";
import { TokenForm } from "./token-form.tsx";

interface Replay {
  readonly model: Model;
  readonly header: TraceHeader;
}

const query = new URLSearchParams(location.search);
/** A moment later than any. */
const END = Number.MAX_SAFE_INTEGER;

export function App() {
  const live = useMemo(() => new Model(), []);
  const [line, setLine] = useState<LineState>("connecting");
  const connection = useMemo(() => new Connection(live, setLine), [live]);
  const [replay, setReplay] = useState<Replay | null>(null);
  const [atMs, setAtMs] = useState<number | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const model = replay?.model ?? live;
  useRedraw(model);

  const show = (text: string): void => {
    try {
      setReplay(load(text));
      setAtMs(null);
      setProblem(null);
    } catch (error) {
      setProblem((error as Error).message);
    }
  };
  useEffect(() => {
    const file = query.get("replay");
    if (file === null) void connection.open();
    else void loadFrom(file).then(show, (error: unknown) => setProblem(String(error)));
    return () => connection.close();
  }, [connection]);

  const isVirtual = replay?.header.origin === "simulated";
  const past = atMs ?? (replay === null ? null : END);
  const engines = (["a", "b"] as const).map((label) => (past === null ? model.live(label) : model.at(label, past)));
  const nowMs = past === null ? Date.now() : Math.min(past, model.span()?.toMs ?? past);
  const isLive = past === null;
  return (
    <>
      <Header
        engines={engines}
        line={replay === null ? line : "replay"}
        title={replay?.header.title ?? null}
        onFile={show}
        onLive={replay === null ? null : () => setReplay(null)}
      />
      {problem !== null && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      {line === "needs-token" && replay === null ? (
        <TokenForm onToken={(token) => connection.useToken(token)} />
      ) : (
        <main class={isLive ? "" : "past"}>
          <Tally engines={engines} nowMs={nowMs} isVirtual={isVirtual} isLive={isLive} />
          {query.has("demo") && replay === null && <DemoFaults />}
          <div class="engines">
            {engines.map((engine, at) => (
              <EnginePanel
                key={engine.label}
                engine={engine}
                other={engines[1 - at] ?? engine}
                isLive={isLive}
                nowMs={nowMs}
              />
            ))}
          </div>
          <Charts engines={engines} nowMs={nowMs} isVirtual={isVirtual} />
          <div class="lower">
            <EventLog entries={model.entriesUpTo(past ?? END, 14)} isVirtual={isVirtual} />
            <History engines={engines} nowMs={nowMs} />
          </div>
          {replay === null && <Conflicts engines={engines} connection={connection} />}
        </main>
      )}
      {line !== "needs-token" || replay !== null ? (
        <Recorder
          model={model}
          atMs={atMs}
          onMove={setAtMs}
          isVirtual={isVirtual}
          endWord={replay === null ? "Live" : "End"}
        />
      ) : null}
    </>
  );
}

/** Draws anew when something has changed, once a frame, and now and then for the ages that are shown. */
function useRedraw(model: Model): void {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    let frame: number | null = null;
    const soon = (): void => {
      frame ??= requestAnimationFrame(() => {
        frame = null;
        redraw(0);
      });
    };
    const leave = model.subscribe(soon);
    const ages = window.setInterval(soon, 500);
    return () => {
      leave();
      window.clearInterval(ages);
      if (frame !== null) cancelAnimationFrame(frame);
    };
  }, [model]);
}

function load(text: string): Replay {
  const { header, messages } = readTrace(text);
  const model = new Model();
  for (const message of messages) model.apply(message);
  return { model, header };
}

async function loadFrom(file: string): Promise<string> {
  const url = new URL(file, location.href);
  if (url.origin !== location.origin) throw new Error("a run is shown only from this host");
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url.pathname}: ${answer.status}`);
  return answer.text();
}
