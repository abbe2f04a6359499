/** Checks a value against a schema of an OpenAPI document, strictly: a field that no schema names is a fault. */

export interface TSchema {
  readonly $ref?: string;
  readonly type?: string;
  readonly anyOf?: readonly TSchema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Record<string, TSchema>;
  readonly required?: readonly string[];
  readonly patternProperties?: Record<string, TSchema>;
  readonly additionalProperties?: boolean | TSchema;
  readonly items?: TSchema;
}

type Named = Readonly<Record<string, TSchema>>;

/** Whether `value` is of `schema`; `named` are the schemas that it may refer to. */
export function conforms(named: Named, schema: TSchema, value: unknown): boolean {
  if (schema.$ref !== undefined) {
    const target = named[schema.$ref.replace("#/components/schemas/", "")];
    return target !== undefined && conforms(named, target, value);
  }
  if (schema.anyOf !== undefined) return schema.anyOf.some((member) => conforms(named, member, value));
  if (schema.enum !== undefined) return schema.enum.includes(value);
  if (schema.const !== undefined) return schema.const === value;
  switch (schema.type) {
    case undefined:
      return true;
    case "null":
      return value === null;
    case "integer":
      return Number.isSafeInteger(value);
    case "array":
      return Array.isArray(value) && value.every((item) => conforms(named, schema.items ?? {}, item));
    case "object":
      return value !== null && typeof value === "object" && !Array.isArray(value) && fields(named, schema, value);
    default:
      return typeof value === schema.type;
  }
}

function fields(named: Named, schema: TSchema, value: object): boolean {
  const { properties = {}, required = [], patternProperties = {}, additionalProperties } = schema;
  const others =
    Object.values(patternProperties)[0] ?? (typeof additionalProperties === "object" ? additionalProperties : null);
  const areKnown = Object.entries(value).every(([key, item]) => {
    const known = properties[key] ?? others;
    return known === null ? additionalProperties === true : conforms(named, known, item);
  });
  return areKnown && required.every((key) => key in value);
}
