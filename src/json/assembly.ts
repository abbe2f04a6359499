/**
 * Puts a JSON value together while its text is scanned: the containers that are open, which of them are being
 * assembled from slices, and where the slice begins that has not been parsed yet.
 * Containers are assembled from the outside in; a container that ends within one slice is left to
 * `JSON.parse` whole.
 */
import type { Json } from "../core/canonical-json.ts";
import { checkHeld, JsonFault, type Source, parseText } from "./fault.ts";

/** A container that the scan is inside of. */
interface Level {
  readonly isObject: boolean;
  /** Byte of the opening bracket. */
  readonly opensAt: number;
  /** Colons before the bracket. */
  readonly membersAtOpen: number;
  /** Where the present element begins: after the bracket or the last comma. */
  elementStart: number;
  /** Colons before `elementStart`. */
  membersBefore: number;
  /** The container itself, once it is assembled from slices. */
  value: Json[] | Record<string, Json> | null;
  /** The last element was itself assembled: only a comma or the end may follow. */
  afterChild: boolean;
}

export class Assembly {
  /** Colons outside strings so far: the members of all objects together. */
  members = 0;
  /** First byte that is not yet in any value. */
  sliceStart = 0;
  readonly #bytes: Buffer;
  readonly #source: Source;
  readonly #levels: Level[] = [];
  /** How many levels, from the outside, are being assembled. */
  #assembled = 0;
  #membersBeforeSlice = 0;
  #root: { readonly value: Json; readonly endsAt: number } | null = null;

  constructor(bytes: Buffer, source: Source) {
    this.#bytes = bytes;
    this.#source = source;
  }

  get depth(): number {
    return this.#levels.length;
  }

  /** The scan enters a container. */
  enter(at: number, isObject: boolean): void {
    if (this.#root !== null) throw new JsonFault("text after the value", at);
    const members = this.members;
    this.#levels.push({
      isObject,
      opensAt: at,
      membersAtOpen: members,
      elementStart: at + 1,
      membersBefore: members,
      value: null,
      afterChild: false,
    });
  }

  /** The scan passes a comma. */
  comma(at: number): void {
    const level = this.#levels.at(-1);
    if (level === undefined) throw new JsonFault("a comma outside of any container", at);
    if (level.afterChild) {
      this.#demandSpace(this.sliceStart, at);
      level.afterChild = false;
      this.#beginSlice(at + 1);
    }
    level.elementStart = at + 1;
    level.membersBefore = this.members;
  }

  /** The scan leaves a container. */
  leave(at: number, isObject: boolean): void {
    const level = this.#levels.at(-1);
    if (level === undefined || level.isObject !== isObject) throw new JsonFault("a bracket that closes nothing", at);
    if (this.depth === this.#assembled) this.#complete(level, at);
    this.#levels.pop();
  }

  /** Parses all whole elements up to here; containers that reach beyond here are assembled from now on. */
  takeSlices(): void {
    const current = this.#levels[this.#assembled - 1];
    if (current?.afterChild === true) throw new JsonFault("a comma is missing", this.sliceStart);
    if (current !== undefined) this.#takeElements(current);
    for (const level of this.#levels.slice(this.#assembled)) {
      level.value = level.isObject ? {} : [];
      this.#beginSlice(level.opensAt + 1, level.membersAtOpen);
      this.#takeElements(level);
    }
    this.#assembled = this.depth;
  }

  /** The value, once the scan has reached the end of the text. */
  finish(): Json {
    if (this.depth > 0) throw new JsonFault("the text ends within a container", this.#bytes.length);
    if (this.#root === null) {
      const value = parseText(this.#bytes.toString("utf8"), 0);
      checkHeld(value, this.members, this.#source);
      return value;
    }
    this.#demandSpace(this.#root.endsAt + 1, this.#bytes.length);
    return this.#root.value;
  }

  /** Parses the elements of `level` between the slice's start and its present element. */
  #takeElements(level: Level): void {
    if (level.elementStart === this.sliceStart) return;
    this.#append(level, level.elementStart - 1, level.membersBefore);
    this.#beginSlice(level.elementStart, level.membersBefore);
  }

  /** Parses the elements from the slice's start to `end`, where a comma or the closing bracket stands. */
  #append(level: Level, end: number, membersAtEnd: number): void {
    const text = this.#bytes.toString("utf8", this.sliceStart, end);
    const items = parseText(level.isObject ? `{${text}}` : `[${text}]`, this.sliceStart);
    checkHeld(items, membersAtEnd - this.#membersBeforeSlice, this.#source);
    const entries = Object.entries(items as object) as [string, Json][];
    const isEmptyContainer = this.#bytes[end] !== 0x2c && this.sliceStart === level.opensAt + 1;
    if (entries.length === 0 && !isEmptyContainer) throw new JsonFault("an element is missing", this.sliceStart);
    if (Array.isArray(level.value)) for (const item of items as readonly Json[]) level.value.push(item);
    else for (const [key, item] of entries) setOnce(level.value, key, item);
  }

  /** Ends a container that was assembled, and puts it into the one around it. */
  #complete(level: Level, at: number): void {
    if (level.afterChild) this.#demandSpace(this.sliceStart, at);
    else this.#append(level, at, this.members);
    const value = level.value as Json;
    this.#assembled -= 1;
    this.#beginSlice(at + 1);
    const around = this.#levels[this.#assembled - 1];
    if (around === undefined) {
      this.#demandSpace(0, level.opensAt);
      this.#root = { value, endsAt: at };
      return;
    }
    around.afterChild = true;
    const lead = this.#bytes.toString("utf8", around.elementStart, level.opensAt);
    if (Array.isArray(around.value)) this.#demandSpace(around.elementStart, level.opensAt);
    if (Array.isArray(around.value)) around.value.push(value);
    else setOnce(around.value, keyOf(lead, around.elementStart, this.#source), value);
  }

  #beginSlice(at: number, membersBefore = this.members): void {
    this.sliceStart = at;
    this.#membersBeforeSlice = membersBefore;
  }

  #demandSpace(from: number, to: number): void {
    if (/[^ \t\r\n]/.test(this.#bytes.toString("latin1", from, to))) throw new JsonFault("unexpected text", from);
  }
}

/** The key in `"key":`, the text before a member's value. */
function keyOf(lead: string, atByte: number, source: Source): string {
  const key = Object.keys(parseText(`{${lead}0}`, atByte) as object);
  if (key.length !== 1 || key[0] === undefined) throw new JsonFault("a key is missing", atByte);
  checkHeld({ [key[0]]: 0 }, 1, source);
  return key[0];
}

function setOnce(record: Record<string, Json> | null, key: string, value: Json): void {
  if (record === null || Object.hasOwn(record, key)) throw new JsonFault("an object repeats a key");
  // Not by an assignment, which would take `__proto__` for the prototype.
  Object.defineProperty(record, key, { value, writable: true, enumerable: true, configurable: true });
}
