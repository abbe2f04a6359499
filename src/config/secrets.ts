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

export interface Secrets {
  readonly tokens: readonly TokenSecret[];
  /** null: force-leader over HTTP answers 501 `not_configured`. */
  readonly controlPlaneSecret: string | null;
}

type Reading = { readonly value: string } | { readonly missing: string };

/**
 * Reads every secret of `config`. The control plane's secret may be absent from the environment: then it is not
 * configured. A file that is named must be there.
 *
 * @throws ChangeoverError `invalid_configuration` that names the key and the variable or file, never the value
 */
export function readSecrets(config: Pick<Config, "auth">, environment: Environment): Secrets {
  const faults: Fault[] = [];
  const tokens: TokenSecret[] = [];
  config.auth.tokens.forEach((ref, at) => {
    const reading = readSecret(ref, environment);
    if ("value" in reading) tokens.push({ name: ref.name, role: ref.role, value: reading.value });
    else faults.push(fault(`auth.tokens[${at}]`, undefined, `${reading.missing}; or remove the token "${ref.name}"`));
  });
  faults.push(...sharedValues(tokens));
  const controlPlaneSecret = readControlPlaneSecret(config.auth.controlPlaneSecret, environment, faults);
  if (faults.length > 0) throw invalidConfiguration("secrets", faults);
  return { tokens, controlPlaneSecret };
}

/** The names of the environment variables that `config` reads secrets from. */
export function secretVariables(auth: Config["auth"]): readonly string[] {
  const refs: readonly (SecretRef | null)[] = [...auth.tokens, auth.controlPlaneSecret];
  return refs.flatMap((ref) => (ref !== null && "env" in ref ? [ref.env] : []));
}

function readControlPlaneSecret(ref: SecretRef | null, environment: Environment, faults: Fault[]): string | null {
  if (ref === null || ("env" in ref && environment[ref.env] === undefined)) return null;
  const reading = readSecret(ref, environment);
  if ("value" in reading) return reading.value;
  faults.push(fault("auth.controlPlaneSecret", undefined, reading.missing));
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
