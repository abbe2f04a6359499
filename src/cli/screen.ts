/**
 * A picture of lines that is redrawn in place, without flicker, at whatever size the terminal has just now.
 * The terminal is given back as it was found.
 */
import type { WriteStream } from "node:tty";

const ENTER = "\u001b[?1049h\u001b[?25l";
const LEAVE = "\u001b[?25h\u001b[?1049l";
const HOME = "\u001b[H";
const CLEAR_LINE_END = "\u001b[K";
const CLEAR_BELOW = "\u001b[J";

export class Screen {
  readonly #terminal: WriteStream;
  #last: readonly string[] = [];
  #closed = false;
  readonly #resized = (): void => this.#paint(this.#last);

  constructor(terminal: WriteStream) {
    this.#terminal = terminal;
    terminal.write(ENTER);
    terminal.on("resize", this.#resized);
  }

  get columns(): number {
    return this.#terminal.columns || 80;
  }

  /** Lines that have room. */
  get rows(): number {
    return Math.max(1, (this.#terminal.rows || 24) - 1);
  }

  /** Shows the lines from the top; those below the terminal's height are left out. */
  draw(lines: readonly string[]): void {
    this.#last = lines;
    this.#paint(lines);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#terminal.off("resize", this.#resized);
    this.#terminal.write(LEAVE);
  }

  #paint(lines: readonly string[]): void {
    if (this.#closed) return;
    const shown = lines.slice(0, this.rows);
    // One write: the terminal never shows half a picture.
    this.#terminal.write(`${HOME}${shown.map((text) => `${text}${CLEAR_LINE_END}\r\n`).join("")}${CLEAR_BELOW}`);
  }
}
