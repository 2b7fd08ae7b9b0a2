/** What a page can call. Every method is there as soon as the loader has run, whatever the state, and none ever throws. */
export interface SentieroApi {
  /**
   * Stops recording, throws away what was not sent yet, forgets the session and, when the server allows opting out,
   * remembers the choice for a year.
   */
  optOut(): void;
  /** Takes the choice back; recording starts at once. */
  optIn(): void;
  /** Puts an event of the page's own into the recording. `payload` is copied as JSON; at most 64 KB. */
  addCustomEvent(tag: string, payload?: unknown): void;
  /** Adds to what is known about the session; rides the next upload. At most 50 keys, values cut at 1,024 characters. */
  setMetadata(metadata: Readonly<Record<string, unknown>>): void;
}

/** What the loader needs of a running recorder. */
export interface RecorderHandle {
  addCustomEvent(tag: unknown, payload: unknown): void;
  setMetadata(metadata: unknown): void;
  /** Ends recording; events not sent yet are thrown away. */
  discard(): void;
}

declare global {
  interface Window {
    Sentiero?: SentieroApi;
  }
  interface Navigator {
    /** https://w3c.github.io/gpc/ */
    readonly globalPrivacyControl?: boolean;
  }
}
