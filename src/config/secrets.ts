/**
 * Reads the secrets that a configuration names and checks each against the rules for secrets. No secret appears in an
 * error, a log line or the configuration. A token that is named but cannot be read stops the start: an engine that
 * silently had one token less could end up open.
 */
import { statSync } from "node:fs";
import type { Environment } from "./environment.ts";
import { type Fault, fault, invalidConfiguration } from "./check.ts";
import { readSmallFile } from "./small-file.ts";
import type { Config, SecretRef, TokenRole } from "./types.ts";

/** A token as the access check needs it. */
export interface TokenSecret {
  readonly name: string;
  readonly role: TokenRole;
  readonly value: string;
}

/** What the access check needs. */
export interface Secrets {
  readonly tokens: readonly TokenSecret[];
  /** null: force-leader over HTTP answers 501 `not_configured`. */
  readonly controlPlaneSecret: string | null;
}

/** Every secret of one engine. */
export interface EngineSecrets extends Secrets {
  /** Shown to an engine behind HTTP hooks; null: none. */
  readonly engineToken: string | null;
  /** Shown to the hub; null: none. */
  readonly hubToken: string | null;
  /** Shown to the federation peers, by their names; a peer that is open has none. */
  readonly federationTokens: ReadonlyMap<string, string>;
  /** Of the witness in Redis or NATS, where its URL does not hold it. */
  readonly witnessPassword: string | null;
  /** The text of a `.creds` file for the witness in NATS. */
  readonly witnessCredentials: string | null;
  /** Of the Sentinels themselves. */
  readonly sentinelPassword: string | null;
  /** Of the feed, where its URL does not hold it. */
  readonly feedPassword: string | null;
  /** The text of a `.creds` file of NATS. */
  readonly feedCredentials: string | null;
}

/** The part of a configuration that names secrets. */
type Naming = Pick<Config, "auth" | "engine" | "witness" | "replication" | "federation" | "outbox">;

type Reading = { readonly value: string } | { readonly missing: string };

/** What an HTTP header carries unchanged. A byte-order mark, a line break or an accented letter would never match. */
const PRINTABLE = /^[\x21-\x7e]+$/;
/** Shorter secrets can be guessed. */
const MIN_SECRET_CHARS = 16;
/** Permission bits that let users other than the owner change a secret's file. */
const WRITABLE_BY_OTHERS = 0o022;

/**
 * Reads every secret of `config`. The control plane's secret may be absent from the environment: then it is not
 * configured. A file that is named must be there.
 *
 * @throws ChangeoverError `invalid_configuration` that names the key and the variable or file, never the value
 */
export function readSecrets(config: Naming, environment: Environment): EngineSecrets {
  const faults: Fault[] = [];
  const tokens: TokenSecret[] = [];
  config.auth.tokens.forEach((ref, at) => {
    const reading = readSecret(ref, environment);
    const key = `auth.tokens[${at}]`;
    if ("missing" in reading)
      faults.push(fault(key, undefined, `${reading.missing}; or remove the token "${ref.name}"`));
    else {
      const broken = brokenRule(reading.value, MIN_SECRET_CHARS);
      if (broken !== null) faults.push(fault(key, undefined, `the value of token "${ref.name}" ${broken}`));
      tokens.push({ name: ref.name, role: ref.role, value: reading.value });
    }
  });
  // `minChars` null: a password of a foreign server, which has rules of its own.
  const read = (key: string, ref: SecretRef | null, minChars: number | null = null): string | null =>
    readOptional(key, ref, { environment, faults, minChars });
  const refs = otherRefs(config);
  const { controlPlaneSecret: ref } = config.auth;
  const isAbsent = ref !== null && "env" in ref && environment[ref.env] === undefined;
  const controlPlaneSecret = isAbsent ? null : read("auth.controlPlaneSecret", ref, MIN_SECRET_CHARS);
  faults.push(...sharedValues(tokens, controlPlaneSecret));
  const engineToken = read("engine.token", refs.engineToken, 1);
  const hubToken = read("replication.hub.token", refs.hubToken, MIN_SECRET_CHARS);
  const witnessPassword = read("witness.password", refs.witnessPassword);
  const witnessCredentials = read("witness.credentials", refs.witnessCredentials);
  const sentinelPassword = read("witness.sentinelPassword", refs.sentinelPassword);
  const federationTokens = new Map<string, string>();
  config.federation.peers.forEach(({ name, token }, at) => {
    const value = read(`federation.peers[${at}].token`, token ?? null, MIN_SECRET_CHARS);
    if (value !== null) federationTokens.set(name, value);
  });
  const feed = {
    feedPassword: read("outbox.password", refs.feedPassword),
    feedCredentials: read("outbox.credentials", refs.feedCredentials),
  };
  if (faults.length > 0) throw invalidConfiguration("secrets", faults);
  const ofWitness = { witnessPassword, witnessCredentials, sentinelPassword };
  return { tokens, controlPlaneSecret, engineToken, hubToken, federationTokens, ...ofWitness, ...feed };
}

/** The names of the environment variables that `config` reads secrets from. */
export function secretVariables(config: Naming): readonly string[] {
  const { tokens, controlPlaneSecret } = config.auth;
  const peers = config.federation.peers.map(({ token }) => token ?? null);
  const refs = [...tokens, controlPlaneSecret, ...Object.values(otherRefs(config)), ...peers];
  return refs.flatMap((ref) => (ref !== null && "env" in ref ? [ref.env] : []));
}

function otherRefs({
  engine,
  witness,
  replication,
  outbox,
}: Naming): Record<Exclude<keyof EngineSecrets, keyof Secrets | "federationTokens">, SecretRef | null> {
  return {
    engineToken: engine.kind === "http" ? (engine.token ?? null) : null,
    hubToken: replication.hub?.token ?? null,
    witnessPassword: "password" in witness ? (witness.password ?? null) : null,
    witnessCredentials: witness.kind === "nats" ? (witness.credentials ?? null) : null,
    sentinelPassword: witness.kind === "redis" ? (witness.sentinelPassword ?? null) : null,
    feedPassword: "password" in outbox ? outbox.password : null,
    feedCredentials: "credentials" in outbox ? outbox.credentials : null,
  };
}

function readOptional(
  key: string,
  ref: SecretRef | null,
  { environment, faults, minChars }: { environment: Environment; faults: Fault[]; minChars: number | null },
): string | null {
  if (ref === null) return null;
  const reading = readSecret(ref, environment);
  if ("missing" in reading) {
    faults.push(fault(key, undefined, reading.missing));
    return null;
  }
  const broken = minChars === null ? null : brokenRule(reading.value, minChars);
  if (broken !== null) faults.push(fault(key, undefined, `its value ${broken}`));
  return reading.value;
}

/** Whether an HTTP header carries the secret unchanged. */
export function isSendable(secret: string): boolean {
  return PRINTABLE.test(secret);
}

/** The rule that a secret breaks, with the remedy; null when it breaks none. */
function brokenRule(value: string, minChars: number): string | null {
  if (!isSendable(value)) {
    return "must be printable ASCII without spaces; a byte-order mark, a line break or an accented letter never matches";
  }
  if (value.length >= minChars) return null;
  return `has ${value.length} characters and must have at least ${minChars}; make one with: openssl rand -hex 24`;
}

function readSecret(ref: SecretRef, environment: Environment): Reading {
  if ("env" in ref) {
    const value = environment[ref.env];
    if (value === undefined) return { missing: `set the environment variable ${ref.env}` };
    return value === "" ? { missing: `the environment variable ${ref.env} is empty` } : { value };
  }
  try {
    const { mode } = statSync(ref.file);
    if ((mode & WRITABLE_BY_OTHERS) !== 0) {
      const shown = (mode & 0o777).toString(8).padStart(3, "0");
      return {
        missing: `the file ${ref.file} has mode ${shown} and must not be writable by others: chmod go-w ${ref.file}`,
      };
    }
    const value = readSmallFile(ref.file)
      .toString()
      .replace(/\r?\n$/, "");
    return value === "" ? { missing: `the file ${ref.file} is empty` } : { value };
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? "unreadable";
    return { missing: `cannot read the file ${ref.file} (${reason})` };
  }
}

/** With one value for two tokens, the role of a caller would depend on their order. */
function sharedValues(tokens: readonly TokenSecret[], controlPlaneSecret: string | null): Fault[] {
  const ofTokens = tokens
    .filter((token, at) => tokens.findIndex(({ value }) => value === token.value) !== at)
    .map(({ name }) => fault("auth.tokens", undefined, `token "${name}" has the value of another token`));
  const ofSecret = tokens
    .filter(({ value }) => value === controlPlaneSecret)
    .map(({ name }) => fault("auth.controlPlaneSecret", undefined, `has the value of token "${name}"; must differ`));
  return [...ofTokens, ...ofSecret];
}
