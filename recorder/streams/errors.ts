import { listen, unpatched } from "./listen.ts";
import type { StreamContext } from "./stream.ts";

const MAX_MESSAGE_CHARS = 4_000;
const MAX_STACK_CHARS = 8_192;
const MAX_CONTEXT_CHARS = 4_096;
/** A picture may be its own address. */
const MAX_URL_CHARS = 1_000;
const MAX_ERRORS = 50;
const PERIOD_MS = 60_000;

/** React, when what it rendered is not what the server sent: https://react.dev/errors/418 and the development build's texts. */
const HYDRATION =
  /React error #4(?:1[89]|2[235])\b|Hydration failed|hydrating|server.rendered HTML|Expected server HTML/;

/** Records an error that the page caught itself. `details` is for people to read: JSON of at most 4,096 characters. */
export type CaptureException = (error: unknown, details?: unknown) => void;

interface Report {
  readonly message: string;
  readonly [field: string]: unknown;
}

/**
 * `error`: uncaught errors, unhandled rejections (`type`), files that could not be loaded (`kind: "resource"`), and what the
 * page hands in (`handled`). At most 50 different ones a minute; how often one came again is told at the minute's end, as
 * `count`. With the stream off, errors still are a trigger, and the page's own are recorded.
 */
export function captureErrors(context: StreamContext): CaptureException {
  const { config, emit } = context;
  /** How often each came again since it was told of. */
  let period = new Map<string, [again: number, report: Report]>();
  let isBusy = false;

  function record(given: Report): void {
    const report: Report = {
      ...given,
      message: given.message.slice(0, MAX_MESSAGE_CHARS),
      hydration: HYDRATION.test(given.message) || undefined,
    };
    const { message, source, lineno, colno } = report;
    const key = [message, source, lineno, colno].join();
    const known = period.get(key);
    if (known) known[0]++;
    else if (period.size < MAX_ERRORS) {
      if (period.size === 0) unpatched(window, "setTimeout")(endPeriod, PERIOD_MS);
      period.set(key, [0, report]);
      emit("error", report);
    }
  }

  function report(given: Report): void {
    // What goes wrong in here would come back as the next error.
    if (isBusy) return;
    isBusy = true;
    try {
      if (config.captureErrors || given.handled) record(given);
      // A picture that is missing, or a script that a content blocker stopped, is no reason to send a recording.
      if (!given.kind) context.onTrigger("error");
    } finally {
      isBusy = false;
    }
  }

  function tellCounts(): void {
    for (const entry of period.values()) {
      const [count, report] = entry;
      if (count > 0) emit("error", { ...report, count });
      entry[0] = 0;
    }
  }

  function endPeriod(): void {
    if (!context.signal.aborted) tellCounts();
    period = new Map();
  }

  listen<Event | ErrorEvent>(window, "error", context, (event) => {
    if ("lineno" in event) {
      const { message, filename, lineno, colno, error } = event;
      const source = context.cutUrl(filename);
      report({ ...partsOf(error), message: message || "Unknown error", source, lineno, colno, type: "error" });
    } else if (event.target instanceof Element) {
      const { localName, src, href } = event.target as Element & { readonly src?: unknown; readonly href?: unknown };
      report({
        message: `<${localName}> could not be loaded`,
        source: context.cutUrl(String(src || href)).slice(0, MAX_URL_CHARS),
        kind: "resource",
        tag: localName,
        nodeId: context.idOf(event.target),
      });
    }
  });
  listen<PromiseRejectionEvent>(window, "unhandledrejection", context, ({ reason }) =>
    report({ message: "Unhandled rejection", ...partsOf(reason), type: "unhandledrejection" }),
  );
  context.onLeave(tellCounts);

  return (error, details) => {
    try {
      report({ message: "Unknown error", ...partsOf(error), type: "error", handled: true, context: toPlain(details) });
    } catch {
      // The page goes on.
    }
  };
}

/** What was thrown may be anything, and so may its properties. */
function partsOf(thrown: unknown): Partial<Report> {
  const parts: Record<string, string> = {};
  try {
    const given = typeof thrown === "string" ? { message: thrown } : (thrown as Record<string, unknown>);
    for (const part of ["name", "message", "stack"]) {
      const text = given[part];
      if (typeof text === "string") parts[part] = text.slice(0, MAX_STACK_CHARS);
    }
  } catch {
    // What could be read is kept.
  }
  return parts;
}

function toPlain(details: unknown): unknown {
  try {
    // What was cut can't be read again.
    return JSON.parse(JSON.stringify(details).slice(0, MAX_CONTEXT_CHARS));
  } catch {
    return undefined;
  }
}
