import { record } from "@rrweb/record";
import type { Redaction } from "../src/privacy/redaction.ts";
import { EventType } from "../src/rrweb/events.ts";
import type { RecordedEvent } from "../src/types.ts";
import { createCapture } from "./capture.ts";
import type { ResolvedConfig } from "./config.ts";
import { cost } from "./cost.ts";
import type { CaptureException } from "./streams/errors.ts";
import type { Trigger } from "./streams/stream.ts";
import { startStreams } from "./streams/streams.ts";

/** What a recording tells its owner. */
export interface RecordingOptions {
  readonly config: ResolvedConfig;
  readonly redaction: Redaction;
  /** Gets each event, masked and redacted, in order. */
  onEvent(event: RecordedEvent): void;
  onActivity(): void;
  onTrigger(trigger: Trigger): void;
}

/** The page being recorded: its DOM and the streams beside it. */
export interface Recording {
  takeFullSnapshot(): void;
  /** Puts a custom event in, behind every change of the page so far. */
  emit(tag: string, payload: unknown, at?: number): void;
  readonly captureException: CaptureException;
  /** Delivers what is not delivered yet. */
  flush(): void;
  /** The page is left or hidden: delivers what the streams kept until then, and what recording costs. */
  leave(): void;
  /** Ends it; nothing comes after that. */
  stop(): void;
}

/** Records the page from now on, beginning with a full snapshot once the document is there. `startReason` goes right behind that. */
export function startRecording(
  { config, redaction, onEvent, onActivity, onTrigger }: RecordingOptions,
  startReason: string | null,
): Recording {
  const capture = createCapture(config, redaction, onRecorded);
  const ending = new AbortController();
  const leaving: (() => void)[] = [];
  const snapshots: (() => void)[] = [];
  /** When the next event of ours happened; 0 for now. */
  let happenedAt = 0;

  function onRecorded(event: RecordedEvent): void {
    onEvent(happenedAt > 0 ? { ...event, timestamp: happenedAt } : event);
    if (event.type === EventType.FullSnapshot) for (const run of snapshots) run();
  }

  function emit(tag: string, payload: unknown, at: number = 0): void {
    capture.flush();
    happenedAt = at;
    capture.addCustomEvent(tag, payload);
    happenedAt = 0;
  }

  function leave(): void {
    capture.flush();
    for (const run of leaving) run();
    emit("__cost", cost.report());
  }

  if (startReason !== null) emit("__start", { reason: startReason });
  capture.start();
  const { captureException } = startStreams({
    config,
    signal: ending.signal,
    emit,
    idOf: (node) => record.mirror.getId(node),
    textOf: capture.textOf,
    hiddenBy: capture.hiddenBy,
    change: capture.change,
    cutUrl: redaction.url,
    onActivity,
    onTrigger,
    onLeave: (run) => void leaving.push(run),
    onSnapshot: (run) => void snapshots.push(run),
  });

  return {
    takeFullSnapshot: capture.takeFullSnapshot,
    emit,
    captureException,
    flush: capture.flush,
    leave,
    stop() {
      ending.abort();
      capture.stop();
    },
  };
}
