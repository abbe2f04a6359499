/**
 * Purpose: the name under which a feed shows one of its readers.
 */
import { ChangeoverError } from "../../core/errors.ts";
import { safeName } from "./safe-name.ts";

/** `consumer` as a name that every feed takes. Throws `invalid_configuration` for an empty or too long one. */
export function consumerName(consumer: string): string {
  const name = safeName(consumer);
  if (name !== null) return name;
  throw new ChangeoverError("invalid_configuration", "consumer: a name of 1 to 200 characters is needed", {
    details: { field: "consumer", value: consumer.slice(0, 200), bound: "1 to 200 characters" },
  });
}
