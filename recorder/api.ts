import type { RecorderConfig } from "./config.ts";
import type { Trigger } from "./streams/stream.ts";

/** What `start` takes: the configuration, and what JSON can't say. */
export interface StartOptions extends Partial<RecorderConfig> {
  /**
   * Asked before a recording that was only held is sent, with what happened; anything but true keeps it held, and so does
   * an error in it.
   */
  beforeErrorSampling?: (trigger: Trigger) => boolean;
}

/** What a page can call once the recorder runs. */
interface RecorderCalls {
  /** Resolves once everything so far was handed to the network; sends what was only held. */
  flush(): Promise<void>;
  /** Records nothing until `resume`. */
  pause(): void;
  /** Goes on after `pause`. */
  resume(): void;
  /** Holds the last minute in memory from now on, and sends it when something goes wrong; no-op while it is recorded. */
  startBuffering(): void;
  /**
   * Says who the session belongs to: `userId` becomes metadata, and of the traits those that the option `captureTraits`
   * names, each under its own name.
   */
  identify(userId: string | number, traits?: Readonly<Record<string, unknown>>): void;
  /**
   * Adds to what is known about the session; rides the next upload. At most 50 keys, values cut at 1,024 characters. What
   * bears a name of the recorder's own (`url`, `userId`, `sentiero_…`) is left out, with a warning.
   */
  setMetadata(metadata: Readonly<Record<string, unknown>>): void;
  /** Puts an event of the page's own into the recording. `payload` is copied as JSON; at most 64 KB. */
  addCustomEvent(tag: string, payload?: unknown): void;
  /** The same as {@link RecorderCalls.addCustomEvent}, under the name that products use for it. */
  track(name: string, payload?: unknown): void;
  /** Records an error that the page handled; `context` is copied as JSON, at most 64 KB. */
  captureException(error: unknown, context?: Readonly<Record<string, unknown>>): void;
}

/** What a page can call. Every method is there as soon as the loader has run, whatever the state, and none ever throws. */
export interface SentieroApi extends RecorderCalls {
  /**
   * Records from now on, whatever the sample rates say; with options, what they and the rates say. Never against the
   * person's choice, nor on excluded addresses.
   */
  start(options?: StartOptions): void;
  /** Ends the recording, sends what is left of it, and records nothing more on this page until `start`. */
  stop(): void;
  /** The session's id; null while nothing is recorded. */
  getSessionId(): string | null;
  /** Address of this moment of the recording in the dashboard; null while nothing is recorded. */
  getSessionUrl(): string | null;
  /** Headers that tell the page's own server which session a request belongs to; none while nothing is recorded. */
  headers(): Record<string, string>;
  /**
   * Stops recording, throws away what was not sent yet, forgets the session, takes consent back and, when the server allows
   * opting out, remembers the choice for a year.
   */
  optOut(): void;
  /** Takes that back, or gives consent where it is required; recording starts at once. */
  optIn(): void;
  /** Calls made by name, also before the script is there: `Sentiero.q.push(["track", "signup"])`. */
  readonly q: CallQueue;
}

/** Methods that can be called by name. */
type Methods = Omit<SentieroApi, "q" | "getSessionId" | "getSessionUrl" | "headers">;

/** A method's name, and what it is called with. */
export type QueuedCall = { [Name in keyof Methods]: [Name, ...Parameters<Methods[Name]>] }[keyof Methods];

/** Takes calls; an array until the script is there. */
export interface CallQueue {
  push(...calls: QueuedCall[]): unknown;
}

/** What the loader needs of a running recorder. */
export interface RecorderHandle
  extends RecorderCalls, Pick<SentieroApi, "start" | "stop" | "getSessionId" | "getSessionUrl" | "headers"> {
  /** Ends recording; events not sent yet are thrown away. */
  discard(): void;
}

declare global {
  interface Window {
    /** Before the script has run, a page may have put a queue here. */
    Sentiero?: SentieroApi;
  }
  interface Navigator {
    /** https://w3c.github.io/gpc/ */
    readonly globalPrivacyControl?: boolean;
  }
}
