/**
 * Finds the integers of a JSON text that a double cannot hold exactly. `JSON.parse` rounds them without a word, so that
 * an id would be stored as another one. Fractions may lose digits: everyone who writes them expects that.
 */

/** A number that would change. */
export interface InexactNumber {
  /** Where it is: a JSON pointer (RFC 6901). */
  readonly path: string;
  /** As it was written, cut short. */
  readonly text: string;
}

/** A client wrote an integer that would be stored as another number. */
export class NumberNotExact extends Error {
  readonly number: InexactNumber;
  readonly statusCode = 422;

  constructor(number: InexactNumber) {
    const { path, text } = number;
    const where = path === "" ? "the body" : path;
    super(`${where} is ${text}, an integer that a double cannot hold exactly: send it as a string`);
    this.name = "NumberNotExact";
    this.number = number;
  }
}

/** Only such a text can hold one: 16 digits in a row, or an exponent. Nearly every body is done with here. */
const SUSPICIOUS = /\d{16}|\d[eE]/;
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const SHOWN_CHARS = 40;
/** Digits of the largest double. */
const MAX_DIGITS = 309;

/** The first one in `text`; null when there is none, or when the text is not JSON. */
export function findInexactNumber(text: string): InexactNumber | null {
  if (!SUSPICIOUS.test(text)) return null;
  const found = scan(text);
  return found !== null && isJson(text) ? found : null;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** An open container: the key or the index of the element that the scan is in. */
interface Open {
  readonly isObject: boolean;
  at: string | number;
}

function scan(text: string): InexactNumber | null {
  const open: Open[] = [];
  let expectsKey = false;
  for (let at = 0; at < text.length; at += 1) {
    const inner = open.at(-1);
    switch (text[at]) {
      case '"': {
        const end = endOfString(text, at);
        if (expectsKey && inner !== undefined) inner.at = text.slice(at + 1, end);
        expectsKey = false;
        at = end;
        break;
      }
      case "{":
      case "[":
        open.push({ isObject: text[at] === "{", at: 0 });
        expectsKey = text[at] === "{";
        break;
      case "}":
      case "]":
        open.pop();
        expectsKey = false;
        break;
      case ",":
        if (inner?.isObject === false) inner.at = Number(inner.at) + 1;
        expectsKey = inner?.isObject === true;
        break;
      case undefined:
      default: {
        const number = numberAt(text, at);
        if (number === null) break;
        if (!isExact(number)) return { path: pathOf(open), text: shortened(number) };
        at += number.length - 1;
      }
    }
  }
  return null;
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === '"') return at;
    if (text[at] === "\\") at += 1;
  }
  return text.length;
}

function numberAt(text: string, at: number): string | null {
  NUMBER.lastIndex = at;
  return NUMBER.exec(text)?.[0] ?? null;
}

/** Whether a double holds this number of JSON exactly, if it is an integer. */
function isExact(text: string): boolean {
  const [mantissa = "", exponent = "0"] = text.toLowerCase().split("e");
  const [whole = "", fraction = ""] = mantissa.replace("-", "").split(".");
  const digits = (whole + fraction).replace(/^0+/, "");
  const significant = digits.replace(/0+$/, "");
  if (significant === "") return true;
  const power = Number(exponent) - fraction.length + digits.length - significant.length;
  if (power < 0) return true;
  if (significant.length + power > MAX_DIGITS) return false;
  const value = Math.abs(Number(text));
  return Number.isFinite(value) && BigInt(value) === BigInt(significant + "0".repeat(power));
}

function pathOf(open: readonly Open[]): string {
  return open.map(({ isObject, at }) => `/${isObject ? keyOf(String(at)) : at}`).join("");
}

/** The key between its quotes, unescaped and written as a part of a pointer. */
function keyOf(quoted: string): string {
  let key = quoted;
  try {
    key = JSON.parse(`"${quoted}"`) as string;
  } catch {
    // The text is not JSON: the caller finds that out.
  }
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}

function shortened(text: string): string {
  return text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS)}…` : text;
}
