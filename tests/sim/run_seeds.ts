/** Lines of the story of a failed run that are shown. */
const traceLinesMax = 60;

/**
 * Runs a simulation once for each seed. One that fails is run again with the same seed to tell its
 * story: the error names the seed and ends with the last lines that the machines logged.
 */
export function runSeeds(
  seeds: { readonly first: number; readonly count: number },
  run: (seed: number, trace?: string[]) => void,
): void {
  for (let seed = seeds.first; seed < seeds.first + seeds.count; seed++) {
    try {
      run(seed);
    } catch (error) {
      throw new Error(`seed ${seed} fails: ${error}\n${storyOf(seed, run)}`, { cause: error });
    }
  }
}

function storyOf(seed: number, run: (seed: number, trace?: string[]) => void): string {
  const trace: string[] = [];
  try {
    run(seed, trace);
    return "and does not fail when it is run again: something random is not from the seed";
  } catch {
    return trace.slice(-traceLinesMax).join("\n");
  }
}
