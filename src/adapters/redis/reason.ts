/**
 * Why Redis gave no answer, in words that are safe to log and to show. Nothing of the error's own text gets out, since it
 * may hold a host, a key, an argument or a password.
 */
import { ReplyError } from "ioredis";
import { systemCodeReason, systemReason } from "../connection-reason.ts";

/** By the first word of an error reply: the server's own code. */
const REPLIES: Readonly<Record<string, string>> = {
  NOAUTH: "password required",
  WRONGPASS: "wrong password",
  NOPERM: "not permitted to this user",
  READONLY: "the server is a replica",
  MASTERDOWN: "the server is a replica without its source",
  NOREPLICAS: "too few replicas",
  MISCONF: "the server cannot write to its disk",
  OOM: "the server is out of memory",
  LOADING: "the server is loading its data",
  BUSY: "the server is busy with a script",
  CLUSTERDOWN: "the cluster is down",
  MOVED: "the cluster is moving the key",
  ASK: "the cluster is moving the key",
  TRYAGAIN: "the cluster is moving the key",
  WRONGTYPE: "a key of the pair is not changeover's",
};

/** Whether the server itself answered with an error: then nothing was done (see `scripts.ts`). */
export function isErrorReply(error: unknown): boolean {
  return error instanceof ReplyError;
}

/** The server's code of an error reply (`NOSCRIPT`, `READONLY`); the empty text for anything else. */
export function replyCode(error: unknown): string {
  return isErrorReply(error) ? ((error as Error).message.split(" ", 1)[0] ?? "") : "";
}

/** Safe words for `error`. */
export function reasonOf(error: unknown): string {
  if (isErrorReply(error)) return replyReason(replyCode(error)) ?? "the server refused the call";
  if (!(error instanceof Error)) return "connection failed";
  const reason = systemReason(error);
  if (reason !== null) return reason;
  if (error.message.startsWith("Socket timeout")) return "no answer on the connection";
  if (error.message.startsWith("All sentinels are unreachable")) return sentinelReason(error.message);
  return "connection closed";
}

/** Ours and the server's own word for it, for people who search the web for the latter. */
function replyReason(code: string): string | null {
  const reason = REPLIES[code];
  return reason === undefined ? null : `${reason} (${code})`;
}

/** ioredis gives the last Sentinel's failure only as text: its code is looked for, the rest stays out. */
function sentinelReason(message: string): string {
  const words = message.match(/\b[A-Z][A-Z_]+\b/g) ?? [];
  const known = words.map((word) => replyReason(word) ?? systemCodeReason(word)).find((reason) => reason !== null);
  if (known !== undefined) return `no Sentinel answers: ${known}`;
  return /certificate|SSL|TLS/.test(message) ? "no Sentinel answers: TLS refused" : "no Sentinel knows the server";
}
