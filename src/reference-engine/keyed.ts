/**
 * Reading and changing keyed collections without changing them in place.
 * A name from outside such as `constructor` or `__proto__` is a plain name, never a way to the prototype.
 */

type Keyed<Value> = Readonly<Record<string, Value>>;

/** The value under `key`, or `undefined`. */
export function valueOf<Value>(record: Keyed<Value>, key: string): Value | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

/** The same collection with `value` under `key`. */
export function withValue<Value>(record: Keyed<Value>, key: string, value: Value): Record<string, Value> {
  return { ...record, [key]: value };
}

/** The same collection without `key`. */
export function without<Value>(record: Keyed<Value>, key: string): Record<string, Value> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => name !== key));
}

/** How many keys there are. */
export function sizeOf(record: Keyed<unknown>): number {
  return Object.keys(record).length;
}
