/**
 * Purpose: reads the secrets that a configuration names.
 * Keeps true: a secret is in no error, no log and no configuration; a token that is named but cannot be read stops the
 * start, for an engine that quietly had one token less could end up open.
 */
import { readFileSync } from "node:fs";
import type { Environment } from "./environment.ts";
import { type Fault, fault, invalidConfiguration } from "./fault.ts";
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
  /** Of the witness in Redis, where its URL does not hold it. */
  readonly witnessPassword: string | null;
  /** Of the Sentinels themselves. */
  readonly sentinelPassword: string | null;
  /** Of the feed, where its URL does not hold it. */
  readonly feedPassword: string | null;
  /** The text of a `.creds` file of NATS. */
  readonly feedCredentials: string | null;
}

/** The part of a configuration that names secrets. */
type Naming = Pick<Config, "auth" | "engine" | "witness" | "replication" | "outbox">;

type Reading = { readonly value: string } | { readonly missing: string };

/** What the header `authorization: Bearer` can carry: with anything else nobody could ever show the token. */
const BEARER = /^[\x21-\x7e]+$/;
const BEARER_BOUND = "must be plain ASCII without spaces, as a bearer token is";

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
    else if (!BEARER.test(reading.value))
      faults.push(fault(key, undefined, `the value of "${ref.name}" ${BEARER_BOUND}`));
    else tokens.push({ name: ref.name, role: ref.role, value: reading.value });
  });
  faults.push(...sharedValues(tokens));
  const read = (key: string, ref: SecretRef | null): string | null => readOptional(key, ref, environment, faults);
  const refs = otherRefs(config);
  const { controlPlaneSecret: ref } = config.auth;
  const isAbsent = ref !== null && "env" in ref && environment[ref.env] === undefined;
  const controlPlaneSecret = isAbsent ? null : read("auth.controlPlaneSecret", ref);
  const engineToken = read("engine.token", refs.engineToken);
  const hubToken = read("replication.hub.token", refs.hubToken);
  const witnessPassword = read("witness.password", refs.witnessPassword);
  const sentinelPassword = read("witness.sentinelPassword", refs.sentinelPassword);
  const feed = {
    feedPassword: read("outbox.password", refs.feedPassword),
    feedCredentials: read("outbox.credentials", refs.feedCredentials),
  };
  if (faults.length > 0) throw invalidConfiguration("secrets", faults);
  return { tokens, controlPlaneSecret, engineToken, hubToken, witnessPassword, sentinelPassword, ...feed };
}

/** The names of the environment variables that `config` reads secrets from. */
export function secretVariables(config: Naming): readonly string[] {
  const { tokens, controlPlaneSecret } = config.auth;
  const refs = [...tokens, controlPlaneSecret, ...Object.values(otherRefs(config))];
  return refs.flatMap((ref) => (ref !== null && "env" in ref ? [ref.env] : []));
}

function otherRefs({
  engine,
  witness,
  replication,
  outbox,
}: Naming): Record<Exclude<keyof EngineSecrets, keyof Secrets>, SecretRef | null> {
  const redis = witness.kind === "redis" ? witness : null;
  return {
    engineToken: engine.kind === "http" ? (engine.token ?? null) : null,
    hubToken: replication.hub?.token ?? null,
    witnessPassword: redis?.password ?? null,
    sentinelPassword: redis?.sentinelPassword ?? null,
    feedPassword: "password" in outbox ? outbox.password : null,
    feedCredentials: "credentials" in outbox ? outbox.credentials : null,
  };
}

function readOptional(key: string, ref: SecretRef | null, environment: Environment, faults: Fault[]): string | null {
  if (ref === null) return null;
  const reading = readSecret(ref, environment);
  if ("value" in reading) return reading.value;
  faults.push(fault(key, undefined, reading.missing));
  return null;
}

function readSecret(ref: SecretRef, environment: Environment): Reading {
  if ("env" in ref) {
    const value = environment[ref.env];
    if (value === undefined) return { missing: `set the environment variable ${ref.env}` };
    return value === "" ? { missing: `the environment variable ${ref.env} is empty` } : { value };
  }
  try {
    const value = readFileSync(ref.file, "utf8").replace(/\r?\n$/, "");
    return value === "" ? { missing: `the file ${ref.file} is empty` } : { value };
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? "unreadable";
    return { missing: `cannot read the file ${ref.file} (${reason})` };
  }
}

/** Two tokens of one value would make the role of a caller a matter of luck. */
function sharedValues(tokens: readonly TokenSecret[]): Fault[] {
  return tokens
    .filter((token, at) => tokens.findIndex(({ value }) => value === token.value) !== at)
    .map(({ name }) => fault("auth.tokens", undefined, `token "${name}" has the value of another token`));
}
