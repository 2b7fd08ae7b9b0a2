import type { QueuedCall, RecorderHandle, SentieroApi, StartOptions } from "./api.ts";

/** Calls kept for a recorder that is still loading. */
const MAX_QUEUED_CALLS = 100;

/** What the page's API drives. */
export interface PageApiOptions {
  /** Whether recording is allowed right now. */
  isAllowed(): boolean;
  storeOptOut(): void;
  storeOptIn(): void;
  /** Takes options of `start` in; asked before anything else of a start. */
  configure(options: StartOptions): void;
  /** Whether sampling leaves this session out, so that nothing is loaded unless the page asks for it. */
  isLeftOut(): boolean;
  /** Loads the recorder and starts it; null when it can't start. */
  load(): Promise<RecorderHandle | null>;
}

/** The page's API together with the loader's own way to start. */
export interface PageApi {
  readonly api: SentieroApi;
  /** Starts unless the page said not to. */
  start(): void;
}

/** Makes the API: it loads the recorder once it may, and keeps calls until then. */
export function createPageApi(options: PageApiOptions): PageApi {
  let state: "new" | "loading" | "on" | "off" = "new";
  let recorder: RecorderHandle | null = null;
  let queue: ((recorder: RecorderHandle) => unknown)[] = [];
  // Opting out and in again while the recorder loads must not start it twice or bring a stopped one back.
  let attempt = 0;

  function start(isByHand: boolean): void {
    if (state === "loading" || state === "on") return;
    if (!options.isAllowed() || (options.isLeftOut() && !isByHand)) return turnOff();
    state = "loading";
    void load(++attempt);
  }

  // Awaited: `then` is a task of the zone of an Angular page.
  async function load(mine: number): Promise<void> {
    try {
      const loaded = await options.load();
      if (mine !== attempt) return loaded?.discard();
      const calls = queue;
      turnOff();
      if (!loaded) return;
      state = "on";
      recorder = loaded;
      for (const call of calls) quietly(() => call(loaded));
    } catch (error) {
      if (mine !== attempt) return;
      turnOff();
      console.warn("[sentiero] the recorder could not be loaded", error);
    }
  }

  function turnOff(): void {
    attempt++;
    state = "off";
    recorder = null;
    queue = [];
  }

  function call(run: (recorder: RecorderHandle) => unknown): void {
    if (recorder) run(recorder);
    else if (state !== "off" && queue.length < MAX_QUEUED_CALLS) queue.push(run);
  }

  const api = {
    start: (given?: StartOptions) =>
      quietly(() => {
        if (given) options.configure(given);
        start(!given);
        call((recorder) => recorder.start(given));
      }),
    stop: () =>
      quietly(() => {
        if (recorder) recorder.stop();
        else turnOff();
      }),
    startBuffering: () =>
      quietly(() => {
        start(true);
        call((recorder) => recorder.startBuffering());
      }),
    // What is still queued has recorded nothing yet.
    flush: async () => {
      await quietly(() => recorder?.flush());
    },
    getSessionId: () => quietly(() => recorder?.getSessionId()) ?? null,
    getSessionUrl: () => quietly(() => recorder?.getSessionUrl()) ?? null,
    headers: () => quietly(() => recorder?.headers()) ?? {},
    optOut: () =>
      quietly(() => {
        const stopped = recorder;
        turnOff();
        quietly(() => stopped?.discard());
        // After the recorder, so that nothing it writes while stopping stays behind.
        options.storeOptOut();
      }),
    optIn: () =>
      quietly(() => {
        options.storeOptIn();
        start(false);
      }),
    q: {
      push(...calls: QueuedCall[]) {
        for (const call of calls) {
          quietly(() => {
            const [name, ...args] = call;
            (api[name] as (...args: unknown[]) => void)(...args);
          });
        }
      },
    },
  } as unknown as SentieroApi;
  const forwarded = [
    "pause",
    "resume",
    "identify",
    "setMetadata",
    "addCustomEvent",
    "track",
    "captureException",
  ] as const;
  for (const name of forwarded) {
    api[name] = (...args: unknown[]) =>
      quietly(() => call((recorder) => (recorder[name] as (...args: unknown[]) => void)(...args)));
  }
  return { start: () => void (state === "new" && quietly(() => start(false))), api };
}

function quietly<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch {
    // The page's own code goes on as if the call had worked.
    return undefined;
  }
}
