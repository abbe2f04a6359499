/** Purpose: the small shapes that every part of the schema is made of: sections, bounded values, addresses, secrets, files. */
import { type TObject, type TProperties, Type } from "typebox";

export const MINUTE_MS = 60_000;
export const DAY_MS = 86_400_000;

export const section = <P extends TProperties>(properties: P, description?: string): TObject<P> =>
  Type.Object(properties, { additionalProperties: false, ...(description === undefined ? {} : { description }) });

export const whole = (minimum: number, maximum: number, fallback: number, description: string) =>
  Type.Integer({ minimum, maximum, default: fallback, description });

export const name = (description: string) =>
  Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", examples: ["studio-1"], description });

export const text = (description: string, example: string) =>
  Type.String({ minLength: 1, maxLength: 1_024, examples: [example], description });

/** `schemes`: a pattern. Redis addresses that name several hosts are no URLs; the `redis` adapter checks those. */
export const url = (schemes: string, description: string, example: string) =>
  Type.String({
    pattern: `^(${schemes})://[^\\s/]+`,
    maxLength: 2_048,
    format: "address",
    examples: [example],
    description,
  });

export const variable = Type.String({
  pattern: "^[A-Za-z_][A-Za-z0-9_]{0,127}$",
  examples: ["OPS_TOKEN"],
  description: "Environment variable that holds the secret",
});
export const secretFile = text("File that holds the secret; its last line break is dropped", "/run/secrets/ops-token");
export const secret = Type.Union([section({ env: variable }), section({ file: secretFile })], {
  description: "Where the secret is read: {env: NAME} or {file: PATH}; never the secret itself",
});

export const httpUrl = (description: string) => url("https?", description, "http://127.0.0.1:9000");

export const file = (description: string) => text(description, "/etc/changeover/engine.pem");
export const clientTls = {
  ca: Type.Optional(file("Authorities that its certificate must come from, PEM; default: the system's")),
  cert: Type.Optional(file("Certificate that this engine shows, PEM")),
  key: Type.Optional(file("Its private key, PEM")),
};
