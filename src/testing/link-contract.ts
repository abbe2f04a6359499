/** The contract of the port Link: both engines' ends of one link. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { type Link, type LinkConnection, MAX_FRAME_BYTES } from "../ports/link.ts";
import { type ContractCase, type Declare, collectCases, eventually } from "./contract.ts";

/** One link as both engines hold it: what one dials, the other accepts. */
export interface LinksUnderTest {
  readonly ends: readonly [Link, Link];
  /** Clears up; called after both links were closed. */
  end?(): Promise<void>;
}

/** A connection, and what it told. */
class Ear {
  readonly connection: LinkConnection;
  opens = 0;
  readonly frames: string[] = [];
  readonly ends: (readonly [number, string])[] = [];
  signs = 0;
  bad = 0;
  afterEnd = 0;

  constructor(connection: LinkConnection) {
    this.connection = connection;
    connection.listen({
      onOpen: () => this.#told(() => (this.opens += 1)),
      onFrame: (frame) => this.#told(() => this.frames.push(frame)),
      onSignOfLife: () => this.#told(() => (this.signs += 1)),
      onBadFrame: () => this.#told(() => (this.bad += 1)),
      onEnd: (code, reason) => this.#told(() => this.ends.push([code, reason])),
    });
  }

  #told(what: () => unknown): void {
    if (this.ends.length > 0) this.afterEnd += 1;
    what();
  }
}

interface Stage {
  readonly ends: readonly [Link, Link];
  /** What each end has accepted. */
  readonly accepted: readonly [Ear[], Ear[]];
  /** A connection that the first end dials, once it is open on both sides. */
  readonly connect: () => Promise<readonly [Ear, Ear]>;
}

/** The cases that a link has to pass. */
export function linkContract(make: () => Promise<LinksUnderTest>): readonly ContractCase[] {
  return collectCases<Stage>([opening, carrying, ending], async (body) => {
    const given = await make();
    const accepted: readonly [Ear[], Ear[]] = [[], []];
    const dialled: Ear[] = [];
    given.ends.forEach((link, at) => link.accept((connection) => accepted[at === 0 ? 0 : 1].push(new Ear(connection))));
    const connect = async (): Promise<readonly [Ear, Ear]> => {
      const before = accepted[1].length;
      const near = new Ear(given.ends[0].dial());
      dialled.push(near);
      await eventually(
        () => near.opens === 1 && accepted[1][before]?.opens === 1,
        "the connection is open on both sides",
      );
      return [near, accepted[1][before] as Ear];
    };
    try {
      await body({ ends: given.ends, accepted, connect });
      for (const ear of [...dialled, ...accepted.flat()]) {
        ok(ear.opens <= 1 && ear.ends.length <= 1, "a connection opens once and ends once");
        equal(ear.afterEnd, 0, "nothing is told after the end");
      }
    } finally {
      for (const { connection } of [...dialled, ...accepted.flat()]) connection.drop();
      await Promise.all(given.ends.map(async (link) => link.close()));
      await given.end?.();
    }
  });
}

function opening(it: Declare<Stage>): void {
  it("has one name for both engines", async ({ ends }) => {
    equal(ends[0].name, ends[1].name);
    ok(ends[0].name.length > 0);
  });

  it("opens once on both sides and says where it leads", async ({ connect }) => {
    const pair = await connect();
    for (const { connection, frames, ends } of pair) {
      ok(connection.remote.length > 0);
      deepEqual([frames, ends], [[], []]);
    }
  });

  it("lets both ends dial at once, each into a connection of its own", async ({ ends, accepted }) => {
    const [near, far] = ends.map((link) => new Ear(link.dial())) as [Ear, Ear];
    await eventually(() => near.opens + far.opens === 2 && accepted.flat().length === 2, "both dials are accepted");
    near.connection.send("from the first");
    far.connection.send("from the second");
    const [[inFirst], [inSecond]] = accepted;
    await eventually(() => inFirst?.frames.length === 1 && inSecond?.frames.length === 1, "both frames arrive");
    deepEqual([inFirst?.frames, inSecond?.frames], [["from the second"], ["from the first"]]);
    for (const ear of [near, far]) ear.connection.drop();
  });

  it("ends a dial that nobody answers, and never opens it", async ({ ends }) => {
    await ends[1].close();
    const near = new Ear(ends[0].dial());
    await eventually(() => near.ends.length === 1, "the dial ends");
    equal(near.opens, 0);
  });
}

function carrying(it: Declare<Stage>): void {
  it("carries frames whole, once, in order, both ways at once", async ({ connect }) => {
    const [near, far] = await connect();
    const texts = Array.from({ length: 500 }, (_, at) => `${at} ${"√\n\u0000\u{1f3ac}".repeat(at % 7)}`);
    for (const text of texts) {
      near.connection.send(text);
      far.connection.send(`${text}!`);
    }
    await eventually(() => near.frames.length === 500 && far.frames.length === 500, "500 frames each way");
    deepEqual(far.frames, texts);
    deepEqual(
      near.frames,
      texts.map((text) => `${text}!`),
    );
  });

  it("carries a frame of the largest size, and counts down what waits", async ({ connect }) => {
    const [near, far] = await connect();
    const largest = "x".repeat(MAX_FRAME_BYTES);
    near.connection.send(largest);
    near.connection.send("next");
    ok(near.connection.bufferedBytes >= 0);
    await eventually(() => far.frames.length === 2, "both frames arrive");
    ok(far.frames[0] === largest && far.frames[1] === "next");
    await eventually(() => near.connection.bufferedBytes === 0, "nothing waits any more");
  });

  it("never hands on a frame that is too large", async ({ connect }) => {
    const [near, far] = await connect();
    near.connection.send("x".repeat(MAX_FRAME_BYTES + 1));
    await eventually(() => far.bad > 0 || far.ends.length > 0 || near.ends.length > 0, "somebody is told");
    deepEqual(far.frames, []);
  });

  it("brings a sign of life to the one that asks for it", async ({ connect }) => {
    const [near, far] = await connect();
    near.connection.ping();
    await eventually(() => near.signs > 0, "the answer to the first end's ping");
    far.connection.ping();
    await eventually(() => far.signs > 0, "the answer to the second end's ping");
    deepEqual([near.frames, far.frames], [[], []]);
  });
}

function ending(it: Declare<Stage>): void {
  it("closes behind what was sent, and brings the other side its code and reason", async ({ connect }) => {
    const [near, far] = await connect();
    near.connection.send("last words");
    near.connection.close(4_403, "wrong-engine");
    await eventually(() => near.ends.length + far.ends.length === 2, "both sides are told");
    deepEqual(far.frames, ["last words"]);
    deepEqual(far.ends, [[4_403, "wrong-engine"]]);
  });

  it("drops at once, and both sides are told once", async ({ connect }) => {
    const [near, far] = await connect();
    far.connection.drop();
    far.connection.drop();
    far.connection.send("into nothing");
    await eventually(() => near.ends.length + far.ends.length === 2, "both sides are told");
    near.connection.send("into nothing");
    near.connection.close(1_000, "");
    deepEqual([near.frames, far.frames], [[], []]);
  });

  it("takes another connection after one has ended", async ({ connect }) => {
    const [first] = await connect();
    first.connection.drop();
    const [near, far] = await connect();
    near.connection.send("again");
    await eventually(() => far.frames.length === 1, "the frame arrives on the new connection");
  });

  it("can be closed twice", async ({ ends }) => {
    await Promise.all(ends.flatMap((link) => [link.close(), link.close()]));
  });
}
