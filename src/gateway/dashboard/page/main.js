// @ts-check
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/**
 * The page of the gateway: {@linkcode Follower} and {@linkcode Actions} change what the
 * {@linkcode Store} holds, the views under view/ draw it, and the pure modules under model/ know the
 * rest. There is no build step: the browser loads these files as they are.
 *
 * @module
 */
import { html } from "htm/preact";
import { render } from "preact";
import { Actions } from "./actions.js";
import { Follower } from "./follow.js";
import { initialState } from "./model/state.js";
import { Store } from "./model/store.js";
import { App } from "./view/app.js";

const root = document.getElementById("page");
if (root === null) throw new Error("The document has no place for the page");
const store = new Store(initialState(Date.now()));
const actions = new Actions(store);
render(html`<${App} store=${store} actions=${actions} />`, root);
new Follower(store, actions).start();
