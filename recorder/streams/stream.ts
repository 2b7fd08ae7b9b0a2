import type { ResolvedConfig } from "../config.ts";

/** What makes a recording that was only held worth sending. */
export type Trigger = "error" | "rage" | "custom" | "url";

/** What a stream may use of the recorder. Nothing here throws. */
export interface StreamContext {
  readonly config: ResolvedConfig;
  /** Aborted when recording ends: listeners take it, what was wrapped is put back. */
  readonly signal: AbortSignal;
  /**
   * Puts a custom event into the recording, behind every change of the page so far. `payload` is redacted on its way and
   * must be JSON. `at` in epoch ms, where it happened earlier than now.
   */
  emit(tag: string, payload: Readonly<Record<string, unknown>>, at?: number): void;
  /**
   * Puts a change of the page in, behind every other so far: what `make` gives is the data of an incremental event of rrweb's,
   * null for none. It is redacted, but not masked. Before the first snapshot nothing is made.
   */
  change(make: () => Readonly<Record<string, unknown>> | null): void;
  /** The number under which the recording knows a node; -1 where it does not. */
  idOf(node: Node): number;
  /**
   * The text of an element as the recording may show it: masked where the recording masks it, empty where it is left out,
   * at most so many characters. With `attribute`, the text of that attribute instead.
   */
  textOf(element: Element, maxChars: number, attribute?: string): string;
  /**
   * Why a picture of an element may not be recorded: it is left out, or the page masks it, or the rules mask it without a
   * word of the page; null where it may.
   */
  hiddenBy(element: Element): "block" | "mask" | "rules" | null;
  /** An address as the recording may hold it. */
  cutUrl(url: string): string;
  /** The visitor did something that counts as activity. */
  onActivity(): void;
  /** Something went wrong, or what the host waits for happened. */
  onTrigger(trigger: Trigger): void;
  /** Calls back at each full snapshot, which rrweb is not done with then. */
  onSnapshot(run: () => void): void;
  /** Calls back right before the page is left or hidden, and what is emitted there still goes along. */
  onLeave(run: () => void): void;
}

/** A source of events beside the DOM: listens until the signal says that it is over. */
export type Stream = (context: StreamContext) => void;
