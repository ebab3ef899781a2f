/** A family of metrics as the text format of Prometheus tells it. */
export interface ExposedFamily {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly samples: ExposedSample[];
}

/** One line of numbers. */
export interface ExposedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const sampleLine = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const labelText = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\[\\"n])*)"(?:,|$)/y;

/**
 * Reads the text format of Prometheus, version 0.0.4, as strictly as its description: `HELP` and `TYPE`
 * once and before the numbers of their family, every number in its family, no series twice.
 *
 * @throws {SyntaxError} with the line that is wrong.
 */
export function parseExposition(text: string): Map<string, ExposedFamily> {
  const families = new Map<string, ExposedFamily>();
  const series = new Set<string>();
  const helps = new Map<string, string>();
  let current: ExposedFamily | undefined;
  if (!text.endsWith("\n")) throw new SyntaxError("The last line has no end");
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const [, word, name = "", rest = ""] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (word === "HELP") {
      if (helps.has(name)) throw new SyntaxError(`Told twice: ${line}`);
      helps.set(name, rest);
    } else if (word === "TYPE") {
      if (families.has(name)) throw new SyntaxError(`Told twice: ${line}`);
      current = { name, help: helps.get(name) ?? "", type: rest, samples: [] };
      families.set(name, current);
    } else {
      const sample = parseSample(line);
      if (current === undefined || !belongs(sample, current)) {
        throw new SyntaxError(`In no family: ${line}`);
      }
      const key = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).toSorted())}`;
      if (series.has(key)) throw new SyntaxError(`Told twice: ${line}`);
      series.add(key);
      current.samples.push(sample);
    }
  }
  return families;
}

/** The value of a series; fails when there is none. */
export function valueOf(
  families: ReadonlyMap<string, ExposedFamily>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  const all = [...families.values()].flatMap(({ samples }) => samples);
  const wanted = JSON.stringify(Object.entries(labels).toSorted());
  const sample = all.find((each) =>
    each.name === name && JSON.stringify(Object.entries(each.labels).toSorted()) === wanted
  );
  if (sample === undefined) throw new Error(`There is no ${name} ${JSON.stringify(labels)}`);
  return sample.value;
}

/** What `promtool check metrics`, and this project, would say against the families. */
export function lintFamilies(families: Iterable<ExposedFamily>): string[] {
  return [...families].flatMap((family) =>
    rules.filter(({ isBroken }) => isBroken(family))
      .map(({ rule }) => `${family.name}: ${rule}`)
  );
}

interface LintRule {
  readonly rule: string;
  isBroken(family: ExposedFamily): boolean;
}

const rules: readonly LintRule[] = [
  { rule: "begins with ouroboros_", isBroken: ({ name }) => !/^ouroboros_[a-z]/.test(name) },
  { rule: "is in lower case", isBroken: ({ name }) => !/^[a-z0-9_]+$/.test(name) },
  { rule: "has a help, which is a sentence", isBroken: ({ help }) => !/^[A-Z0-9].+\.$/.test(help) },
  { rule: "is of a known type", isBroken: ({ type }) => !/^(counter|gauge|histogram)$/.test(type) },
  {
    rule: "ends with _total if it counts, and only then",
    isBroken: ({ name, type }) => (type === "counter") !== name.endsWith("_total"),
  },
  {
    rule: "does not end like a series of a histogram",
    isBroken: ({ name }) => /_(bucket|sum|count)$/.test(name),
  },
  {
    rule: "uses base units, written out",
    isBroken: ({ name }) =>
      /_(ms|milliseconds?|minutes?|hours?|kb|mb|kib|mib|kilobytes?|megabytes?|percent)(_|$)/
        .test(name),
  },
  {
    rule: "has its unit last, before _total",
    isBroken: ({ name }) => /_(seconds|bytes)_(?!total$)/.test(name),
  },
  {
    rule: "does not say its type",
    isBroken: ({ name }) => /_(counter|gauge|histogram|summary)(_|$)/.test(name),
  },
  {
    rule: "has buckets that add up, if it is a histogram",
    isBroken: (family) => family.type === "histogram" && !areBucketsSound(family),
  },
];

/** Whether the buckets of each histogram ascend up to its count. */
function areBucketsSound({ name, samples }: ExposedFamily): boolean {
  const withoutLe = ({ labels: { le: _le, ...labels } }: ExposedSample) => JSON.stringify(labels);
  const of = (suffix: string) => samples.filter((each) => each.name === `${name}${suffix}`);
  const groups = Map.groupBy(of("_bucket"), withoutLe);
  const counts = new Map(of("_count").map((each) => [withoutLe(each), each.value]));
  const sums = new Set(of("_sum").map(withoutLe));
  if (groups.size !== counts.size) return false;
  return [...groups].every(([labels, buckets]) => {
    const last = buckets.at(-1);
    const isInOrder = buckets.every(({ labels: { le }, value }, index) => {
      const before = buckets[index - 1];
      if (before === undefined) return true;
      return Number((le ?? "").replace("+Inf", "Infinity")) > Number(before.labels["le"]) &&
        value >= before.value;
    });
    return isInOrder && sums.has(labels) && last?.labels["le"] === "+Inf" &&
      last.value === counts.get(labels);
  });
}

function parseSample(line: string): ExposedSample {
  const match = sampleLine.exec(line);
  if (match === null) throw new SyntaxError(`No sample: ${line}`);
  const [, name = "", inner = "", number = ""] = match;
  const labels: Record<string, string> = {};
  labelText.lastIndex = 0;
  while (labelText.lastIndex < inner.length) {
    const label = labelText.exec(inner);
    if (label === null) throw new SyntaxError(`Bad labels: ${line}`);
    const [, key = "", value = ""] = label;
    if (Object.hasOwn(labels, key)) throw new SyntaxError(`A label twice: ${line}`);
    labels[key] = value;
  }
  const value = Number(number.replace(/^([+-])Inf$/, "$1Infinity"));
  if (Number.isNaN(value)) throw new SyntaxError(`No number: ${line}`);
  return { name, labels, value };
}

function belongs({ name, labels }: ExposedSample, family: ExposedFamily): boolean {
  if (family.type !== "histogram") return name === family.name && !("le" in labels);
  const suffix = name.startsWith(family.name) ? name.slice(family.name.length) : "";
  return ["_bucket", "_sum", "_count"].includes(suffix) &&
    (suffix === "_bucket") === "le" in labels;
}
