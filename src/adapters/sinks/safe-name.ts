/**
 * Purpose: any text as a name that means nothing to a file system and nothing to NATS, or as a header of NATS.
 * Keeps true: two texts never get the same name; no name is a path, a wildcard or a hidden file.
 */

/** Longest name: file systems stop at 255 bytes, and a suffix must find room. */
const MAX_NAME_CHARS = 200;
export const MAX_HEADER_CHARS = 500;

/** `text` with all but letters, digits, `_` and `-` as `%XX` of its UTF-8 bytes; null for an empty or too long one. */
export function safeName(text: string): string | null {
  const name = text.isWellFormed() ? text.replace(/[^A-Za-z0-9_-]/gu, escaped) : "";
  return name === "" || name.length > MAX_NAME_CHARS ? null : name;
}

/** As `safeName`, and dots stand, except at the start, where a dot would hide the file. */
export function dottedName(text: string): string | null {
  const name = text.isWellFormed() ? text.replace(/^\.|[^A-Za-z0-9_.-]/gu, escaped) : "";
  return name === "" || name.length > MAX_NAME_CHARS ? null : name;
}

/** `text` as the value of a header: as it stands, but for blanks, `%` and what is no printable ASCII; null for a too long one. */
export function headerText(text: string): string | null {
  const value = text.isWellFormed() ? text.replace(/[^!-$&-~]/gu, escaped) : "";
  return value === "" || value.length > MAX_HEADER_CHARS ? null : value;
}

function escaped(character: string): string {
  return Buffer.from(character).toString("hex").toUpperCase().replace(/../g, "%$&");
}
