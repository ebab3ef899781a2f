/** Bytes of a line that are looked at; nobody types `quit` behind more. */
const lineCharsMax = 1_000;

/**
 * Resolves with true when a line of standard input says `quit`. The end of the input says nothing:
 * a service has none, and its ring is to run all the same.
 */
export async function quitTyped(signal: AbortSignal): Promise<boolean> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(256);
  let line = "";
  while (!signal.aborted) {
    let count: number | null;
    try {
      count = await Deno.stdin.read(buffer);
    } catch {
      // There is no standard input, or it broke: as good as its end.
      return false;
    }
    if (count === null) return false;
    const lines = (line + decoder.decode(buffer.subarray(0, count), { stream: true })).split("\n");
    line = lines.pop()?.slice(-lineCharsMax) ?? "";
    if (lines.some((line) => line.trim().toLowerCase() === "quit")) return true;
  }
  return false;
}
