/** Tells on standard error what is done now: one line that changes, where somebody looks at it. */
export class Progress implements Disposable {
  readonly #isTerminal = Deno.stderr.isTerminal();

  /** Says what is done now. */
  say(text: string): void {
    if (this.#isTerminal) this.#write(`\r\x1b[2K${text}`);
  }

  /** Clears the line. */
  [Symbol.dispose](): void {
    if (this.#isTerminal) this.#write("\r\x1b[2K");
  }

  #write(text: string): void {
    Deno.stderr.writeSync(new TextEncoder().encode(text));
  }
}
