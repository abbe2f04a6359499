/** Where every engine tells of its statecharts. */

export const STREAM_PATH = "api/machines/stream";

/** The WebSocket subprotocol of the stream. */
export const STREAM_PROTOCOL = "changeover.machines.v1";

/** The stream of the engine whose HTTP surface is at `url`, which may have a path that a reverse proxy adds. */
export function streamUrl(url: string): URL {
  return new URL(STREAM_PATH, `${url.replace(/^http/, "ws").replace(/\/$/, "")}/`);
}
