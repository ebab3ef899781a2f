// @ts-check
/**
 * The sum of a metric over all its labels, from the text that Prometheus reads.
 *
 * @param {string} text
 * @param {string} metric
 * @returns {number} 0 where there is none.
 */
export function sumOfMetric(text, metric) {
  let sum = 0;
  for (const line of text.split("\n")) {
    if (!line.startsWith(metric)) continue;
    const match = /^(?:\{.*\})? ([0-9.e+]+)/i.exec(line.slice(metric.length));
    if (match?.[1] !== undefined) sum += Number(match[1]);
  }
  return sum;
}
