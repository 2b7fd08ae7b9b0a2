import type { ReactiveController, ReactiveControllerHost } from "lit";
import type { PreviewAnswer, Selection } from "../src/types.ts";
import { errorText, isAbort } from "./api.ts";
import { fetchPreview } from "./maintenance-api.ts";

/** Long enough that typing a word asks once. */
const DEBOUNCE_MS = 350;

/** What is known of a selection that is being made. */
export type PreviewState =
  | { readonly name: "none" }
  | { readonly name: "waiting" }
  | { readonly name: "known"; readonly selection: Selection; readonly preview: PreviewAnswer }
  | { readonly name: "failed"; readonly problem: string };

/** Asks the server what a selection holds while it is being made; only the last one is answered. */
export class SelectionPreview implements ReactiveController {
  /** What can be said now. */
  state: PreviewState = { name: "none" };

  readonly #host: ReactiveControllerHost;
  #selection: Selection | null = null;
  #abort: AbortController | null = null;
  #timer = 0;

  constructor(host: ReactiveControllerHost) {
    this.#host = host;
    host.addController(this);
  }

  hostDisconnected(): void {
    this.show(null);
  }

  /** Takes a selection, or null where there is none yet. */
  show(selection: Selection | null): void {
    this.#abort?.abort();
    clearTimeout(this.#timer);
    this.#selection = selection;
    this.#set({ name: selection ? "waiting" : "none" });
    if (selection) this.#timer = window.setTimeout(() => void this.#load(selection), DEBOUNCE_MS);
  }

  /** Asks again: what was counted may be gone. */
  refresh(): void {
    if (this.#selection) this.show(this.#selection);
  }

  async #load(selection: Selection): Promise<void> {
    const { signal } = (this.#abort = new AbortController());
    try {
      const preview = await fetchPreview(selection, signal);
      if (!signal.aborted) this.#set({ name: "known", selection, preview });
    } catch (error) {
      if (!isAbort(error) && !signal.aborted) this.#set({ name: "failed", problem: errorText(error) });
    }
  }

  #set(state: PreviewState): void {
    this.state = state;
    this.#host.requestUpdate();
  }
}
