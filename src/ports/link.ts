/**
 * One way to the other engine that carries frames: a WebSocket, a serial line, a second radio. The peer channel above it
 * proves who is at the other end, seals every frame and refuses what was replayed, so a link needs no trust of its own. It
 * owes order, no loss while a connection lives, and one end that is told once. Links are built into the WebSocket channel
 * (`peer.links`); others are given to `startHost` as `links`. Contract: `linkContract` of `changeover/testing`.
 */

/** Largest frame that a link has to carry, in bytes of UTF-8. */
export const MAX_FRAME_BYTES = 2_097_152;

/** Close codes from here on say that the other side refused this engine. */
export const FIRST_REFUSAL_CODE = 4_000;

/** What a connection tells. Nothing comes before `listen` was called, nor after `onEnd`. */
export interface LinkEvents {
  /** Frames can be sent. `peerHasKeys` is true but on a link to versions that have none. */
  onOpen(peerHasKeys: boolean): void;
  /** One whole frame, in the order of sending. */
  onFrame(frame: string): void;
  /** Something came that is no frame, such as the answer to `ping`. */
  onSignOfLife(): void;
  /** What came breaks the framing: it is binary, or too large. */
  onBadFrame(why: "binary" | "too-large"): void;
  /** It is over, by either side; told once. `code` and `reason` are those that the other side closed with, as far as they arrived. */
  onEnd(code: number, reason: string): void;
}

/** One connection, from the dial or from the acceptance to its end. */
export interface LinkConnection {
  /** Where it leads or comes from, for people. */
  readonly remote: string;
  /** Bytes that wait to be sent. */
  readonly bufferedBytes: number;
  /** Called once, before anything else. `onOpen` comes in a later turn, or in this one for a connection that is open. */
  listen(events: LinkEvents): void;
  /** Only between `onOpen` and the end; ignored otherwise. */
  send(frame: string): void;
  /** Asks the other side for a sign of life. */
  ping(): void;
  /** Closes once what was sent has gone out, and tells the other side why. Followed by `onEnd`. */
  close(code: number, reason: string): void;
  /** Ends at once, with whatever has not gone out. Followed by `onEnd`. */
  drop(): void;
}

/** One way to the other engine. */
export interface Link {
  /** Both engines give it the same name. */
  readonly name: string;
  /** Begins to accept; called once, when the channel opens. */
  accept(onConnection: (connection: LinkConnection) => void): void;
  /** Begins to connect. A dial that fails ends its connection. */
  dial(): LinkConnection;
  /** Stops accepting. Connections are ended by the channel. Idempotent. */
  close(): Promise<void>;
}
