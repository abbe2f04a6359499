/** A stranger at the peer channel: a bare WebSocket that can speak the handshake by hand, rightly or wrongly. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { WebSocket } from "ws";
import { KEYS_HEADER, SUBPROTOCOL, channelUrl } from "../../src/adapters/ws-peer-channel/dial.ts";
import { FrameSealer, Handshake, channelSecret } from "../../src/adapters/ws-peer-channel/handshake.ts";
import type { Label } from "../../src/core/ids.ts";
import type { PeerHello } from "../../src/ports/peer-channel.ts";
import type { Signatures } from "../../src/ports/basics.ts";

export class RawPeer {
  readonly ws: WebSocket;
  readonly frames: string[] = [];
  closeCode: number | null = null;

  private constructor(ws: WebSocket) {
    this.ws = ws;
    ws.on("message", (data: Buffer) => void this.frames.push(data.toString()));
    ws.on("close", (code) => (this.closeCode = code));
    ws.on("error", () => undefined);
  }

  /** Connects as the upgrade demands; nothing is said yet. */
  static async connect(url: string, token: string | null, keyed = true): Promise<RawPeer> {
    const headers = {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(keyed ? { [KEYS_HEADER]: "1" } : {}),
    };
    const ws = new WebSocket(channelUrl(url), SUBPROTOCOL, { headers });
    const peer = new RawPeer(ws);
    await once(ws, "open");
    return peer;
  }

  send(frame: string | Buffer): void {
    this.ws.send(frame);
  }

  /** Waits for the frame with this number. */
  async frame(index: number): Promise<string> {
    for (;;) {
      const frame = this.frames[index];
      if (frame !== undefined) return frame;
      await once(this.ws, "message");
    }
  }

  async closed(): Promise<number> {
    if (this.closeCode === null) await once(this.ws, "close");
    return this.closeCode ?? 0;
  }

  /**
   * Shakes hands with the secret of `token` and the key of `signatures`, or without a key; what it sends from then on can
   * be sealed with what it returns.
   */
  async shakeHands(
    token: string | null,
    self: PeerHello & { readonly pair: string; readonly label: Label; readonly link: string },
    signatures: Signatures | null,
  ): Promise<FrameSealer> {
    const components = { secret: channelSecret(token, self.pair), signatures, randomBytes };
    const handshake = new Handshake(components, "dialer", self);
    this.send(handshake.ownHello);
    const hello = handshake.takeHello(await this.frame(0));
    if (typeof hello === "string") throw new Error(hello);
    this.send(handshake.ownProof());
    return new FrameSealer(handshake.keys().sealing);
  }
}
