import type { RecorderHandle, StartOptions } from "./api.ts";
import { createRedaction } from "../src/privacy/redaction.ts";
import { cutUrl } from "../src/privacy/url.ts";
import { EventType } from "../src/rrweb/events.ts";
import type { RecordedEvent } from "../src/types.ts";
import { type RecorderConfig, resolveConfig } from "./config.ts";
import { forgetIdentity } from "./consent.ts";
import { removeIdCookies, writeIdCookies } from "./cookies.ts";
import { parseCustomEvent, toCustomEvent } from "./custom-event.ts";
import { createElapsed } from "./elapsed.ts";
import { createGapMemory } from "./gaps.ts";
import { createHandle } from "./handle.ts";
import { createIdentityKeeper } from "./identity.ts";
import { createRunId } from "./ids.ts";
import { StorageKey } from "./keys.ts";
import { watchLifecycle } from "./lifecycle.ts";
import { loadMedia } from "./media-loader.ts";
import {
  campaignOf,
  describeMasking,
  describePage,
  mergeMetadata,
  type Metadata,
  toMetadata,
  withoutOwn,
} from "./metadata.ts";
import { createOutlet } from "./outlet.ts";
import { type Recording, startRecording } from "./recording.ts";
import { decideSampling, type Sampling } from "./sampling.ts";
import { createSender } from "./sender.ts";
import { createSafeStorage } from "./storage.ts";
import { listen, unpatched } from "./streams/listen.ts";
import type { Trigger } from "./streams/stream.ts";
import { createStretchControl } from "./stretch-control.ts";
import { createTransport, type Transport } from "./transport.ts";
import type { UnsentStore } from "./unsent-store.ts";
import { watchUrlRules } from "./url-rules.ts";
import { claimWindow } from "./window-id.ts";

/** A recording can't be kept back for longer than this. */
const MAX_MIN_REPLAY_MS = 60_000;
/** A page that is still there so long after it was to be left has stayed. */
const STAYED_MS = 10_000;

/** What the loader hands over. */
export interface RecorderEnvironment {
  /** Whether recording is allowed right now. */
  isAllowed(): boolean;
  /** How the session of this page is recorded, should it be a new one; null where nobody has decided. */
  readonly sampling: Sampling | null;
}

/** Starts recording this page; null when it was forbidden meanwhile. */
export async function startRecorder(
  given: RecorderConfig & StartOptions,
  { isAllowed, sampling: decided }: RecorderEnvironment,
): Promise<RecorderHandle | null> {
  if (!isAllowed()) return null;
  const config = resolveConfig(given);
  const redaction = createRedaction(config.redaction);
  await loadMedia(config);
  if (given.parentOrigin) {
    const { startFramed } = await import("./framed.ts");
    const parts = { redaction, listen, parseCustomEvent, startRecording, watchUrlRules, isAllowed };
    return startFramed(config, given.parentOrigin, parts);
  }
  const tabStorage = createSafeStorage(() => window.sessionStorage);
  const storage = config.crossTabSessions ? createSafeStorage(() => window.localStorage) : tabStorage;
  const unsent = config.keepUnsent ? openUnsentStore() : null;
  const [tab, keepUnsent] = await Promise.all([claimWindow(tabStorage, navigator.locks, wait), unsent]);
  if (!isAllowed()) {
    tab.release();
    return null;
  }

  const identity = createIdentityKeeper(
    storage,
    { idleTimeoutMs: config.sessionIdleTimeoutMs, maxAgeMs: config.sessionMaxAgeMs },
    () => ({
      entryUrl: cutUrl(location.href),
      entryReferrer: cutUrl(document.referrer),
      campaign: campaignOf(location.href),
      sampling: decided ?? decideSampling(config, Math.random),
    }),
    Date.now(),
  );
  // For this session only.
  decided = null;
  const { signal, abort } = toAbortable();
  const minReplayMs = Math.min(config.minReplayDurationMs, MAX_MIN_REPLAY_MS);
  const isRecordedNow = watchUrlRules(config, signal, onMove);
  let { beforeErrorSampling } = given;
  let recording: Recording | null = null;
  /** While a recording is stopped only its last words count; late ones are dated back. */
  let closing: "late" | "timely" | null = null;
  /** The server takes nothing more of the session that is ending. */
  let isRefused = false;
  let lastEventAt = 0;
  /** What the page said of the session; goes along with each run. */
  let said: Metadata = {};
  let hasRefused = false;

  const transport: Transport = createTransport({
    ...createSender(config.eventsUrl),
    flushIntervalMs: config.flushIntervalMs,
    flushEventThreshold: config.flushEventThreshold,
    version: __SENTIERO_VERSION__,
    lost: createGapMemory(tabStorage),
    keepUnsent,
    isAllowed,
    requestSnapshot: () => recording?.takeFullSnapshot(),
    onRotate() {
      identity.rotate(Date.now());
      isRefused = true;
      changeSession();
      isRefused = false;
    },
    onStop(status) {
      control.send({ type: "end", reason: status === 0 ? "opt-out" : "send-error" });
      abort();
      tab.release();
      if (status === 0 && !isAllowed()) forgetIdentity(window);
      if (status > 0) console.warn(`[sentiero] recording stopped: the server answered ${status}`);
    },
  });

  const outlet = createOutlet({
    storage: tabStorage,
    beginRun,
    send: (event) => transport.push(event),
    requestSnapshot: () => void later(() => recording?.takeFullSnapshot()),
  });

  const control = createStretchControl({
    limits: config,
    elapsed: createElapsed(Date.now, () => performance.now()),
    setTimer: later,
    clearTimer: (timer) => clearTimeout(timer as number),
    onBegin(reason) {
      const { sessionId, createdAt, sampling } = identity.current;
      const isBuffering = sampling === "error";
      const waitMs = createdAt + minReplayMs - Date.now();
      outlet.open(sessionId, isBuffering ? "buffer" : waitMs > 0 ? "length" : null);
      if (outlet.isHolding && !isBuffering) releaseAfter(waitMs);
      mirrorIds();
      record(isBuffering ? null : reason);
    },
    onPause: () => closeRecording(!control.current.isHeld, "__pause", control.current.isHeld ? "manual" : "idle"),
    onResume: () => record(null),
    onEnd(reason) {
      closeRecording(reason === "idle" || reason === "max", "__end", reason);
      outlet.close();
    },
  });

  function record(startReason: string | null): void {
    recording = startRecording({ config, redaction, onEvent, onActivity: () => act(true), onTrigger }, startReason);
  }

  function closeRecording(isLate: boolean, tag: string, reason: string): void {
    closing = isLate ? "late" : "timely";
    recording?.leave();
    // Not through the recording, which is over already where the stretch was paused.
    onEvent(toCustomEvent(tag, { reason }));
    recording?.stop();
    recording = null;
    closing = null;
    void transport.flush();
  }

  function onEvent(event: RecordedEvent): void {
    if (closing) {
      if (event.type !== EventType.Custom || isRefused) return;
      return keep(closing === "late" && lastEventAt > 0 ? { ...event, timestamp: lastEventAt } : event);
    }
    // Timers may be late, and a page may move without telling: what must not be recorded is not.
    if (!control.isRecording()) return;
    if (!isRecordedNow()) return void later(onMove);
    if (identity.observe(Date.now(), false)) {
      endSession();
      return void later(() => begin("session"));
    }
    if (identity.current.sampling === "session") release("tab");
    keep(event);
  }

  function keep(event: RecordedEvent): void {
    lastEventAt = Number(event.timestamp) || lastEventAt;
    outlet.push(event);
  }

  function releaseAfter(delayMs: number): void {
    const { startedAt } = control.current;
    later(() => {
      if (control.current.phase === "ended" || control.current.startedAt !== startedAt) return;
      outlet.release();
      void transport.flush();
    }, delayMs);
  }

  /** What was held until something happens is a session like any other from now on, in all tabs. */
  function release(reason: string): void {
    if (!outlet.isBuffering) return;
    outlet.release();
    if (identity.current.sampling !== "session") identity.setSampling("session");
    keep(toCustomEvent("__start", { reason }));
    void transport.flush();
  }

  function onTrigger(trigger: Trigger): void {
    if (!outlet.isBuffering) return;
    try {
      if (beforeErrorSampling && beforeErrorSampling(trigger) !== true) return;
    } catch {
      return;
    }
    release(trigger);
  }

  function beginRun(): void {
    const { sessionId, key } = identity.current;
    transport.begin({ sessionId, windowId: tab.windowId, run: createRunId(), key }, pageMetadata());
  }

  function pageMetadata(): Metadata {
    const page = config.captureMetadata && redaction.metadata(describePage(identity.current));
    return mergeMetadata(said, { ...toMetadata(page), ...describeMasking(config) });
  }

  function setMetadata(metadata: unknown, userId?: unknown): void {
    const given = withoutOwn(toMetadata(metadata), (names) => {
      if (!hasRefused) console.warn(`[sentiero] metadata under names of the recorder's is left out: ${names.join()}`);
      hasRefused = true;
    });
    const added = toMetadata(redaction.metadata(toMetadata({ userId, ...given })));
    said = mergeMetadata(said, added);
    if (!outlet.isHolding) transport.setMetadata(added);
  }

  /** Begins a stretch where this session and this page are recorded. */
  function begin(reason: string): void {
    if (signal.aborted) return;
    if (identity.current.sampling === "none") {
      removeIdCookies(window);
      control.send({ type: "end", reason: "sampling" });
    } else if (!isRecordedNow()) control.send({ type: "end", reason: "navigation" });
    else control.send({ type: "begin" }, reason);
  }

  /** The session is another one from here on. */
  function endSession(): void {
    // What the page ended stays so.
    if (control.current.reason === "manual") return;
    control.send({ type: "end", reason: identity.current.sampling === "none" ? "sampling" : "session" });
  }

  function changeSession(): void {
    const wasStopped = control.current.reason === "manual";
    endSession();
    if (!wasStopped) begin("session");
  }

  function act(counts: boolean): void {
    if (signal.aborted) return;
    if (identity.observe(Date.now(), true)) return changeSession();
    if (!counts) return;
    if (control.isRecording()) control.send({ type: "activity" });
    // A snapshot is too much for the page's own click; the next one comes later than this.
    else later(() => isRecordedNow() && control.send({ type: "activity" }));
  }

  function onMove(): void {
    if (!isRecordedNow()) {
      if (control.current.reason !== "manual" && control.current.reason !== "sampling")
        control.send({ type: "end", reason: "navigation" });
    } else if (control.current.reason === "navigation") begin("navigation");
  }

  function mirrorIds(): void {
    if (identity.current.sampling === "none") return;
    writeIdCookies(window, identity.current.sessionId, tab.windowId, config.sessionMaxAgeMs / 1_000);
  }

  /** Takes the tab's id again, which was let go for the back/forward cache; false where a stretch began under another. */
  async function renewTab(): Promise<boolean> {
    if (signal.aborted) return true;
    const { windowId } = tab;
    await tab.renew();
    if (signal.aborted) tab.release();
    if (signal.aborted || tab.windowId === windowId || control.current.phase === "ended") return true;
    control.send({ type: "end", reason: "navigation" });
    begin("navigation");
    mirrorIds();
    return false;
  }

  async function onReturn(): Promise<void> {
    const isSameTab = await renewTab();
    if (signal.aborted) return;
    if (isSameTab) act(true);
    mirrorIds();
    transport.show();
  }

  watchLifecycle(config, signal, {
    onActivity: act,
    onHide(isFinal) {
      recording?.leave();
      identity.persist();
      transport.hide(isFinal);
    },
    onLeave() {
      tab.release();
      // It may stay: what was asked for is a file, or the visitor cancels. In the cache, timers wait.
      later(renewTab, STAYED_MS);
    },
    onShow: () => transport.show(),
    onReturn: () => void onReturn(),
    onFocus: mirrorIds,
  });
  listen<StorageEvent>(window, "storage", { signal }, ({ key }) => {
    // Another tab opted out.
    if (!isAllowed()) transport.discard();
    // Null: everything was cleared. The page's own items come by the hundred.
    else if (key !== null && key !== StorageKey.session) return;
    else if (identity.sync(Date.now())) changeSession();
    else if (identity.current.sampling === "session") release("tab");
  });
  begin("load");

  return createHandle({
    config,
    control,
    outlet,
    identity,
    transport,
    windowId: () => tab.windowId,
    recording: () => recording,
    begin,
    release,
    onTrigger,
    setMetadata,
    configure: (options) => void (beforeErrorSampling = options.beforeErrorSampling ?? beforeErrorSampling),
  });
}

function later(run: () => unknown, delayMs: number = 0): unknown {
  return unpatched(window, "setTimeout").call(window, run, delayMs);
}

function toAbortable(): { readonly signal: AbortSignal; abort(): void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}

async function openUnsentStore(): Promise<UnsentStore | null> {
  try {
    return (await import("./unsent-store.ts")).createUnsentStore();
  } catch {
    return null;
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
