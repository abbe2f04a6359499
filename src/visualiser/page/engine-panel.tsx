/** One engine: its role and health, what its votes still count, its heartbeats, positions and alarms. */
import type { CoordinatorState } from "../../coordinator/types.ts";
import type { StateMessage } from "../inspected.ts";
import { HeartbeatStrip } from "./heartbeat-strip.tsx";
import type { EngineAt } from "./model.ts";
import { roleWord } from "./state-paths.ts";
import { isOnAir } from "./on-air.ts";
import { longDuration, thousands } from "./words.ts";

/** Commands between the engines at any moment of a pair at load. */
const ON_THEIR_WAY = 64;

interface Props {
  readonly engine: EngineAt;
  readonly isLive: boolean;
  readonly nowMs: number;
}

export function EnginePanel({ engine, isLive, nowMs }: Props) {
  const { label, state: message, reachable, known } = engine;
  const onAir = isOnAir(engine, isLive);
  const role = roleOf(engine);
  const name = `Engine ${label.toUpperCase()}`;
  const isGone = isLive && !reachable;
  // What it said last is shown dimmed; that it is well is not said of one that says nothing.
  const told = isGone ? null : message;
  return (
    <section class={`engine ${onAir ? "on-air" : ""} ${isGone ? "gone" : ""}`} aria-label={name} data-engine={label}>
      <header>
        <h2>{name}</h2>
        <span class={`chip role ${onAir ? "air" : ""}`}>
          {isGone ? (known ? "not reachable" : "not seen yet") : role}
        </span>
        {told !== null && <span class={`chip health ${told.state.health}`}>{told.state.health}</span>}
        {told !== null && <span class="chip sync">{told.state.syncState}</span>}
        <span class="epoch">epoch {message?.state.epoch ?? engine.last["leadership"]?.epoch ?? "–"}</span>
      </header>
      {message === null ? (
        <p class="quiet">{isLive ? "Nothing is known of it yet." : "Only its statecharts were recorded."}</p>
      ) : (
        <>
          <div class="panels">
            <Votes message={message} />
            <HeartbeatStrip
              label={label}
              heart={engine.heart}
              state={message.state}
              settings={message.settings}
              isLive={isLive}
            />
            <Positions message={message} gap={engine.gap} divergent={engine.divergent} />
          </div>
          {!isGone && <Holds state={message.state} />}
          {!isGone && <Waiting state={message.state} nowMs={nowMs} />}
          {!isGone && <Alarms state={message.state} nowMs={nowMs} />}
        </>
      )}
    </section>
  );
}

function roleOf({ values, state }: EngineAt): string {
  const role = roleWord(values["leadership"]) ?? state?.state.role ?? "not known";
  return role.replace("steppingDown", "stepping down");
}

function Votes({ message }: { message: StateMessage }) {
  // A run that was recorded before the lock was told of has none.
  const { state, lock = null, settings } = message;
  const { votes, witness } = state;
  const { leaseMs, reconcileLockMs } = settings;
  const noWitness = witness.kind === "none";
  const isAway = witness.reachable === false;
  return (
    <div class="panel">
      <h3>Votes</h3>
      <Bar
        name="peer"
        ms={votes.peerMs}
        ofMs={leaseMs}
        note={votes.peerMs <= 0 ? "no vote" : state.peer.state === "dead" ? "proof of death" : null}
      />
      <Bar
        name="witness"
        ms={votes.witnessMs}
        ofMs={leaseMs}
        note={noWitness ? "none configured" : isAway ? "out of reach" : votes.witnessMs > 0 ? null : "no vote"}
        isBad={isAway}
      />
      <Bar
        name="lock"
        ms={lock?.expiresMs ?? 0}
        ofMs={Math.max(reconcileLockMs, lock?.expiresMs ?? 0)}
        note={lock === null ? "free" : `held by ${lock.holder}`}
        isWide={lock !== null}
      />
      <p class="small one-line">
        record: {witness.holder === null ? "none" : `${witness.holder}, epoch ${witness.epoch}`}
      </p>
    </div>
  );
}

interface BarProps {
  readonly name: string;
  readonly ms: number;
  readonly ofMs: number;
  readonly note: string | null;
  readonly isBad?: boolean;
  /** Its words have the whole width below it. */
  readonly isWide?: boolean;
}

function Bar({ name, ms, ofMs, note, isBad = false, isWide = false }: BarProps) {
  const share = Math.max(0, Math.min(1, ms / ofMs));
  const text = ms > 0 ? `${longOrShort(ms)}${note === null ? "" : `, ${note}`}` : (note ?? "0 ms");
  return (
    <div class="bar">
      <span class="name">{name}</span>
      <span
        class="track"
        role="meter"
        aria-label={`${name}, time left`}
        aria-valuemin={0}
        aria-valuemax={ofMs}
        aria-valuenow={Math.round(share * ofMs)}
        aria-valuetext={text}
      >
        <span class={`fill ${share < 0.34 ? "low" : ""}`} style={{ transform: `scaleX(${share})` }} />
      </span>
      <span class={`value ${isBad ? "bad" : ""} ${isWide ? "wide" : ""}`} title={text}>
        {text}
      </span>
    </div>
  );
}

function longOrShort(ms: number): string {
  return ms < 10_000 ? `${Math.round(ms)} ms` : `${Math.round(ms / 1_000)} s`;
}

/** A position is an epoch and a number: two logs with equal numbers may still differ. */
function Positions({
  message: { state, logRuns = [] },
  gap,
  divergent,
}: {
  message: StateMessage;
  gap: number | null;
  divergent: number | null;
}) {
  const epoch = logRuns.at(-1)?.epoch;
  const last = `${thousands(state.lastCommandSeq)}${epoch === undefined ? "" : `, epoch ${epoch}`}`;
  const hasParted = divergent !== null;
  const gapText = gap === null ? "–" : gap === 0 ? "equal" : `${gap > 0 ? "+" : "−"}${thousands(Math.abs(gap))}`;
  return (
    <div class="panel">
      <h3>Commands</h3>
      <dl class="numbers">
        <div>
          <dt>last</dt>
          <dd>{last}</dd>
        </div>
        <div>
          <dt>executed</dt>
          <dd>{thousands(state.lastExecutedSeq)}</dd>
        </div>
        <div>
          <dt>{hasParted ? "diverged" : "gap"}</dt>
          <dd class={hasParted || Math.abs(gap ?? 0) > ON_THEIR_WAY ? "warn" : ""}>
            {hasParted ? `${thousands(divergent)} only here` : gapText}
          </dd>
        </div>
      </dl>
      <p class="small one-line">programme: {state.programSource}</p>
    </div>
  );
}

/** What a person has said about the role: a hold, a planned handover, a preferred engine. An older engine says nothing of it. */
function Holds({ state }: { state: Partial<CoordinatorState> }) {
  const { maintenance, plannedHandover, preferred = "none", switchBack, role } = state;
  const said = [
    maintenance?.on === true
      ? `Maintenance by ${maintenance.by}${maintenance.reason ? `: ${maintenance.reason}` : ""}`
      : null,
    plannedHandover === undefined || plannedHandover === null
      ? null
      : `Handover planned for ${new Date(plannedHandover.at).toLocaleTimeString()} by ${plannedHandover.by}`,
    preferred === "none" || role !== "leader"
      ? null
      : `Preferred: ${preferred.toUpperCase()}${switchBack === undefined ? "" : backWords(switchBack)}`,
  ].filter((text) => text !== null);
  if (said.length === 0) return null;
  return (
    <ul class="holds" aria-label="Holds and plans">
      {said.map((text) => (
        <li key={text}>{text}</li>
      ))}
    </ul>
  );
}

function backWords({ mode, waiting }: CoordinatorState["switchBack"]): string {
  if (mode === "never") return ", no switch-back";
  return waiting.length === 0 ? "" : `, switch-back waits for ${waiting.join(", ")}`;
}

/** Why a follower does not take the role now. It keeps its line on a leader, so that nothing below it moves. */
function Waiting({ state, nowMs }: { state: CoordinatorState; nowMs: number }) {
  // A recording of an older version has none.
  const { reasons, untilMs } = (state as Partial<CoordinatorState>).waiting ?? { reasons: [], untilMs: null };
  const left = untilMs === null ? "" : `, ${longDuration(untilMs - nowMs)} left`;
  const text = reasons.length === 0 ? "waits for nothing" : `waits for ${reasons.join(", ")}${left}`;
  return <p class="small one-line waits">{text}</p>;
}

function Alarms({ state, nowMs }: { state: CoordinatorState; nowMs: number }) {
  if (state.alarms.length === 0) return <p class="alarms none">No alarms</p>;
  return (
    <ul class="alarms" aria-label="Alarms">
      {state.alarms.map(({ code, since, detail, remedy }) => (
        <li key={code}>
          <strong>{code}</strong> <span>{detail}</span> <span class="age">{longDuration(nowMs - since)}</span>
          {remedy && (
            <span class="remedy" title={remedy} tabIndex={0}>
              → {remedy}
            </span>
          )}
        </li>
      ))}
    </ul>
  );
}
