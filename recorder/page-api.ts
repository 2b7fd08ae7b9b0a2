import type { RecorderHandle, SentieroApi } from "./api.ts";

/** Calls kept for a recorder that is still loading. */
const MAX_QUEUED_CALLS = 100;

/** What the page's API drives. */
export interface PageApiOptions {
  /** Whether recording is allowed right now. */
  isAllowed(): boolean;
  storeOptOut(): void;
  removeOptOut(): void;
  /** Loads the recorder and starts it; null when it can't start. */
  load(): Promise<RecorderHandle | null>;
}

/** The page's API together with the loader's own way to start. */
export interface PageApi {
  readonly api: SentieroApi;
  start(): void;
}

/** Makes the API: it loads the recorder once it may, and keeps calls until then. */
export function createPageApi(options: PageApiOptions): PageApi {
  let state: "off" | "loading" | "on" = "off";
  let recorder: RecorderHandle | null = null;
  let queue: ((recorder: RecorderHandle) => void)[] = [];
  // Opting out and in again while the recorder loads must not start it twice or bring a stopped one back.
  let attempt = 0;

  function start(): void {
    if (state !== "off" || !options.isAllowed()) return;
    state = "loading";
    const mine = ++attempt;
    options.load().then(
      (loaded) => {
        if (mine !== attempt) return loaded?.discard();
        state = loaded ? "on" : "off";
        recorder = loaded;
        const calls = queue;
        queue = [];
        if (loaded) for (const call of calls) quietly(() => call(loaded));
      },
      (error: unknown) => {
        if (mine !== attempt) return;
        state = "off";
        queue = [];
        console.warn("[sentiero] the recorder could not be loaded", error);
      },
    );
  }

  function call(run: (recorder: RecorderHandle) => void): void {
    if (recorder) run(recorder);
    else if (state === "loading" && queue.length < MAX_QUEUED_CALLS) queue.push(run);
  }

  return {
    start: () => quietly(start),
    api: {
      optOut: () =>
        quietly(() => {
          attempt++;
          const stopped = recorder;
          state = "off";
          recorder = null;
          queue = [];
          quietly(() => stopped?.discard());
          // After the recorder, so that nothing it writes while stopping stays behind.
          options.storeOptOut();
        }),
      optIn: () =>
        quietly(() => {
          options.removeOptOut();
          start();
        }),
      addCustomEvent: (tag, payload) => quietly(() => call((recorder) => recorder.addCustomEvent(tag, payload))),
      setMetadata: (metadata) => quietly(() => call((recorder) => recorder.setMetadata(metadata))),
    },
  };
}

function quietly(run: () => void): void {
  try {
    run();
  } catch {
    // The page's own code goes on as if the call had worked.
  }
}
