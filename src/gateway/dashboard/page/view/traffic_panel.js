// @ts-check
import { html } from "htm/preact";
import { formatRate } from "../model/format.js";
import { lastRate, peakRate, plotPaths, slotMs, slotsMax } from "../model/traffic.js";

/** @import { Traffic } from "../model/traffic.js" */

const width = 400;
const height = 64;

/** The least rate that fills the plot, in bytes a second: a ring at rest shows no mountains. */
const peakMin = 64 * 1024;

/**
 * How much passes through the gateway, over the last minutes.
 *
 * @param {{ traffic: Traffic }} props
 */
export function TrafficPanel({ traffic: { received, sent } }) {
  // The last slot is not over yet.
  const [inBefore, outBefore] = [received.slice(0, -1), sent.slice(0, -1)];
  const peak = Math.max(peakMin, peakRate(inBefore), peakRate(outBefore));
  const inPaths = plotPaths(inBefore, { width, height, peak });
  const outPaths = plotPaths(outBefore, { width, height, peak });
  const minutes = (slotMs * slotsMax) / 60_000;
  return html`
    <section class="card traffic" aria-label="Throughput">
      <div class="card-head">
        <h2>Throughput</h2>
        <p class="legend">
          <span class="key key-in">In ${formatRate(lastRate(received))}</span>
          <span class="key key-out">Out ${formatRate(lastRate(sent))}</span>
        </p>
      </div>
      <svg class="plot" viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" role="img"
        aria-label=${`The last ${minutes} minutes; at most ${
          formatRate(peakRate(received))
        } in and ${formatRate(peakRate(sent))} out`}>
        <path class="plot-area key-in" d=${inPaths.area} />
        <path class="plot-area key-out" d=${outPaths.area} />
        <path class="plot-line key-in" d=${inPaths.line} />
        <path class="plot-line key-out" d=${outPaths.line} />
      </svg>
      <p
        class="plot-scale"><span>${minutes} min ago</span><span>${formatRate(
          peak,
        )} at the top</span><span>now</span></p>
    </section>
  `;
}
