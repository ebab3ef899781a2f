// @ts-check
import { html } from "htm/preact";
import { describeRing } from "../model/nodes.js";
import { formatDuration } from "../model/format.js";
import { StateMark } from "./state_mark.js";

/** @import { Link, Task, TaskState } from "../model/state.js" */
/** @import { ViewProps } from "./app.js" */

/** @type {Record<Link, { tone: string, text: string, title: string }>} */
const links = {
  connecting: { tone: "plain", text: "Connecting", title: "The page asks the gateway" },
  live: { tone: "good", text: "Live", title: "The page shows changes as they happen" },
  polling: {
    tone: "busy",
    text: "Every 2 s",
    title: "No events come: the page asks now and then how the ring is",
  },
  away: {
    tone: "bad",
    text: "No answer",
    title: "The gateway does not answer; the page keeps trying",
  },
};

/**
 * The name, how the ring is in one sentence, and what can be done to all of it.
 *
 * @param {ViewProps} props
 */
export function PageHeader({ state, actions }) {
  const ring = state.link === "away"
    ? { tone: "plain", text: `${describeRing(state.nodes).text}, when last seen` }
    : describeRing(state.nodes);
  const link = links[state.link];
  const silentSeconds = (state.nowMs - state.seenMs) / 1000;
  return html`
    <header class="page-header">
      <h1><${Logo} />OuroborosFS</h1>
      <p class="ring-status tone-${ring.tone}" role="status">
        <${StateMark} tone=${ring.tone} />${ring.text}
      </p>
      <p class="link tone-${link.tone}" title=${link.title}><span class="link-dot"></span>${link
        .text}</p>
      <div class="results" role="status">
        <${TaskResult} label="Heal" task=${state.tasks.heal} />
        <${TaskResult} label="Scrub" task=${state.tasks.scrub} />
      </div>
      <div class="tasks">
        <${TaskButton} label="Heal" task=${state.tasks.heal} onPress=${() => actions.heal()}
          hint="Check every node now, and bring back those that are dead" />
        <${TaskButton} label="Scrub" task=${state.tasks.scrub} onPress=${() => actions.scrub()}
          hint="Verify every stored byte now, and repair what is damaged" />
      </div>
    </header>
    ${state.link === "away" && html`
      <p class="banner" role="alert">
        The gateway does not answer${state.seenMs > 0
          ? ` for ${formatDuration(silentSeconds)}`
          : ""}.
        ${" "}What you see may have changed since; this page goes on by itself when it is back.
      </p>
    `}
  `;
}

/**
 * A button for something that takes a while.
 *
 * @param {{ label: string, hint: string, task: TaskState, onPress: () => void }} props
 */
function TaskButton({ label, hint, task, onPress }) {
  const isRunning = task.state === "running";
  return html`
    <button type="button" class="button" title=${hint} onClick=${onPress}
      aria-disabled=${isRunning}>
      ${isRunning && html`<span class="spinner" aria-hidden="true"></span>`}${label}
    </button>
  `;
}

/**
 * What came of it.
 *
 * @param {{ label: string, task: TaskState }} props
 */
function TaskResult({ label, task: { state, text } }) {
  if (state === "idle") return null;
  const tone = { running: "busy", done: "good", failed: "bad" }[state];
  return html`
    <p class="result tone-${tone}" title=${text}>
      <${StateMark} tone=${tone} /><span>${label}: ${state === "running"
        ? "working …"
        : text}</span>
    </p>
  `;
}

/** A ring that bites its tail. */
function Logo() {
  return html`
    <svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
      <path class="logo-body" d="M22.5 7.2A11 11 0 1 0 27 16" />
      <path class="logo-head" d="M20.6 2.6l8.2 4.6l-7.6 5.6z" />
    </svg>
  `;
}
