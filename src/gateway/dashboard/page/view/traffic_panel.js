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
export function TrafficPanel({ traffic: { stored, read } }) {
  // The last slot is not over yet.
  const [storedBefore, readBefore] = [stored.slice(0, -1), read.slice(0, -1)];
  const peak = Math.max(peakMin, peakRate(storedBefore), peakRate(readBefore));
  const storedPaths = plotPaths(storedBefore, { width, height, peak });
  const readPaths = plotPaths(readBefore, { width, height, peak });
  const minutes = (slotMs * slotsMax) / 60_000;
  return html`
    <section class="card traffic" aria-label="Throughput">
      <div class="card-head">
        <h2>Throughput</h2>
        <p class="legend">
          <span class="key key-stored">Stored ${formatRate(lastRate(stored))}</span>
          <span class="key key-read">Read ${formatRate(lastRate(read))}</span>
        </p>
      </div>
      <svg class="plot" viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" role="img"
        aria-label=${`The last ${minutes} minutes; at most ${
          formatRate(peakRate(stored))
        } stored and ${formatRate(peakRate(read))} read`}>
        <path class="plot-area key-stored" d=${storedPaths.area} />
        <path class="plot-area key-read" d=${readPaths.area} />
        <path class="plot-line key-stored" d=${storedPaths.line} />
        <path class="plot-line key-read" d=${readPaths.line} />
      </svg>
      <p
        class="plot-scale"><span>${minutes} min ago</span><span>${formatRate(
          peak,
        )} at the top</span><span>now</span></p>
    </section>
  `;
}
