/**
 * An impostor at the address of an engine [ID1]: it speaks the protocol, and has everything but the pinned private key. It
 * may know the peer token, the peer's id and public key, and every handshake that it recorded on the wire. After each
 * greeting it sends messages with extreme numbers. None of it may count (invariant I18).
 */
import { createHash } from "node:crypto";
import { Ed25519Signatures, ed25519FromSeed } from "../../adapters/basics.ts";
import { channelSecret, Handshake, tokenProof } from "../../adapters/ws-peer-channel/handshake.ts";
import { type EngineId, type IncarnationId, makeId, otherLabel, type Label } from "../../core/ids.ts";
import type { PeerMessage } from "../../core/messages.ts";
import { MAX_LEAP } from "../../core/epoch.ts";
import type { PeerHello } from "../../ports/peer-channel.ts";
import type { Signatures } from "../../ports/basics.ts";
import type { DiskContent } from "../../adapters/memory-disk.ts";
import type { Connection } from "../ground/connection.ts";
import type { Link } from "../ground/network.ts";
import type { Prng } from "../ground/prng.ts";
import type { Life } from "../ground/scheduler.ts";
import { bytesFrom, SIM_PAIR, SIM_TOKEN } from "../ports/sim-peer-channel.ts";
import type { Watch } from "./watch.ts";
import type { WorldGround } from "./world-ground.ts";

/** What it tries. */
export const TRICKS = ["own-id", "own-key", "pinned-key", "recorded", "no-key", "no-token", "hello-only"] as const;
export type Trick = (typeof TRICKS)[number];

/** The latest handshake of the dialling engine on a link. */
interface Recording {
  hello: string;
  proof: string | null;
}

/** What it can reach of the world around it. */
interface Reached {
  readonly ground: WorldGround;
  chanceOf(concern: string): Prng;
  watch(watch: Watch): void;
  contentOf(place: string): DiskContent | null;
}

export class SimImpostor {
  readonly #world: Reached;
  readonly #chance: Prng;
  readonly #signatures: Signatures;
  readonly #life: Life = { alive: true, paused: false, backlog: [] };
  readonly #recorded = new Map<string, Recording>();

  constructor(world: Reached) {
    this.#world = world;
    this.#chance = world.chanceOf("impostor");
    this.#signatures = new Ed25519Signatures(ed25519FromSeed(createHash("sha256").update("impostor").digest()));
    world.watch({
      shookHands: (_from, { side, link, text }) => {
        if (side !== "dialer") return;
        const isHello = text.includes('"type":"hello"');
        const known = this.#recorded.get(link);
        if (isHello) this.#recorded.set(link, { hello: text, proof: null });
        else if (known !== undefined) known.proof = text;
      },
    });
  }

  /** One attempt at the engine `target`, as soon as the network brings it there. */
  knock(target: Label, trick: Trick): void {
    const { scheduler, links, machines } = this.#world.ground;
    const link = this.#chance.pick(links);
    scheduler.after(this.#chance.between(0.1, 1), () => {
      const { life, channel } = machines[target];
      if (life === null || channel === null) return;
      const greeting = this.#greet(target, link, trick);
      if (greeting === null) return;
      const { hello, answer } = greeting;
      let answered = false;
      const dialler = {
        impostor: true,
        endOn: (connection: () => Connection) => ({
          life: this.#life,
          take: (frame: { readonly kind: string; readonly text?: string }) => {
            if (frame.kind !== "handshake" || answered || frame.text === undefined) return;
            answered = true;
            this.#send(connection(), target, answer(frame.text));
          },
        }),
      };
      scheduler.enter(life, "arrival", () => channel.accept(link, hello, dialler));
    });
  }

  #send(connection: Connection, target: Label, proof: string): void {
    const from = otherLabel(target);
    connection.push(from, { kind: "handshake", text: proof });
    const seen = this.#world.contentOf(target)?.highestEpoch ?? 0;
    const messages: PeerMessage[] = Array.from({ length: 3 }, (_, step) => ({
      type: "stale-epoch",
      highestEpoch: seen + (step + 1) * MAX_LEAP,
    }));
    for (const message of messages) connection.push(from, { kind: "message", message });
  }

  /** Its hello, and its proof once it has the other's hello; null: it has nothing for this trick yet. */
  #greet(
    target: Label,
    link: Link,
    trick: Trick,
  ): { readonly hello: string; readonly answer: (hello: string) => string } | null {
    const label = otherLabel(target);
    const token = trick === "no-token" ? "a guess" : SIM_TOKEN;
    const secret = channelSecret(token, SIM_PAIR);
    if (trick === "recorded") {
      const recording = label === "a" ? this.#recorded.get(link.name) : undefined;
      if (recording === undefined || recording.proof === null) return null;
      const proof = JSON.parse(recording.proof) as object;
      return {
        hello: recording.hello,
        answer: (theirs) => JSON.stringify({ ...proof, mac: tokenProof(secret, "dialer", [recording.hello, theirs]) }),
      };
    }
    const signatures = this.#shown(target, trick);
    const components = { secret, signatures, randomBytes: bytesFrom(this.#chance) };
    const self = { ...this.#claim(target, trick), pair: SIM_PAIR, label, link: link.name };
    const handshake = new Handshake(components, "dialer", self);
    return {
      hello: handshake.ownHello,
      answer: (theirs) => {
        handshake.takeHello(theirs);
        return trick === "hello-only" ? "nothing" : handshake.ownProof();
      },
    };
  }

  /** The key that it shows: its own, or the pinned one, which it cannot sign with. */
  #shown(target: Label, trick: Trick): Signatures | null {
    if (trick === "no-key") return null;
    const pinned = this.#world.contentOf(target)?.pinnedPeer?.key ?? null;
    if (trick !== "pinned-key" || pinned === null) return this.#signatures;
    const own = this.#signatures;
    return { key: pinned, sign: (text) => own.sign(text), verify: (...asked) => own.verify(...asked) };
  }

  /** Who it says it is. */
  #claim(target: Label, trick: Trick): PeerHello {
    const pinned = this.#world.contentOf(target)?.pinnedPeer?.engineId;
    const engineId: EngineId = trick === "own-id" || pinned === undefined ? makeId("engine", "impostor") : pinned;
    const starts = ["999999999999999-x", "000000000000000-x", `unnumbered${this.#chance.whole(1, 1e9)}`] as const;
    const incarnation: IncarnationId = makeId("incarnation", this.#chance.pick(starts));
    return { engineId, incarnation, version: "0.1.0" };
  }
}
