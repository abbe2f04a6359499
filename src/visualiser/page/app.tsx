/** The page as a whole: what is shown live, what is shown of the past, and what comes from a file. */
import { useEffect, useMemo, useReducer, useState } from "preact/hooks";
import type { TraceHeader } from "../inspected.ts";
import { readTrace } from "../trace-file.ts";
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
  const [line, setLine] = useState<LineState>({ kind: "connecting" });
  const connection = useMemo(() => new Connection(live, setLine), [live]);
  const [replay, setReplay] = useState<Replay | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const show = (text: string): void => {
    try {
      setReplay(load(text));
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
  useRedraw(replay?.model ?? live);
  const needsToken = line.kind === "needs-token" && replay === null;
  return (
    <>
      <Header
        pair={live.live("a").state?.state.pair ?? live.live("b").state?.state.pair ?? ""}
        line={replay === null ? line : null}
        title={replay?.header.title ?? null}
        onFile={show}
        onLive={replay === null ? null : () => setReplay(null)}
      />
      {problem !== null && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      {needsToken ? (
        <TokenForm onToken={(token) => connection.useToken(token)} />
      ) : (
        <Shown key={replay?.header.title ?? "live"} live={live} replay={replay} connection={connection} />
      )}
    </>
  );
}

interface ShownProps {
  readonly live: Model;
  readonly replay: Replay | null;
  readonly connection: Connection;
}

/** The pair, live or as it was. */
function Shown({ live, replay, connection }: ShownProps) {
  const [atMs, setAtMs] = useState<number | null>(null);
  const model = replay?.model ?? live;
  const isVirtual = replay?.header.origin === "simulated";
  const past = atMs ?? (replay === null ? null : END);
  const isLive = past === null;
  const engines = (["a", "b"] as const).map((label) => (past === null ? model.live(label) : model.at(label, past)));
  const nowMs = past === null ? Date.now() : Math.min(past, model.span()?.toMs ?? past);
  const endWord = replay === null ? "Live" : "End";
  return (
    <>
      <main class={isLive ? "" : "past"}>
        <Tally {...{ engines, nowMs, isVirtual, isLive }} lastOnAir={model.lastOnAir} />
        {query.has("demo") && replay === null && <DemoFaults />}
        <div class="engines">
          {engines.map((engine) => (
            <EnginePanel key={engine.label} {...{ engine, isLive, nowMs }} />
          ))}
        </div>
        {replay === null && <Conflicts engines={engines} connection={connection} />}
        <Charts engines={engines} nowMs={nowMs} isVirtual={isVirtual} />
        <div class="lower">
          <EventLog entries={model.entriesUpTo(past ?? END, 14)} isVirtual={isVirtual} />
          <History engines={engines} nowMs={nowMs} />
        </div>
      </main>
      <Recorder {...{ model, atMs, isVirtual, endWord }} onMove={setAtMs} />
    </>
  );
}

/** Draws again when something has changed, once a frame, and now and then for the ages that are shown. */
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
