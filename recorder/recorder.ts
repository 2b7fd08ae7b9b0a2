import { EventType, IncrementalSource, isRecord } from "../src/rrweb/events.ts";
import type { RecordedEvent } from "../src/types.ts";
import type { RecorderHandle } from "./api.ts";
import { createCapture } from "./capture.ts";
import { type RecorderConfig, resolveConfig } from "./config.ts";
import { forgetIdentity } from "./consent.ts";
import { createGapMemory } from "./gaps.ts";
import { createIdentityKeeper } from "./identity.ts";
import { createRunId } from "./ids.ts";
import { type Metadata, toMetadata } from "./metadata.ts";
import { createSender } from "./sender.ts";
import { createSafeStorage } from "./storage.ts";
import { createTransport, type Transport } from "./transport.ts";
import { cutUrl } from "../src/privacy/url.ts";
import { claimWindow } from "./window-id.ts";

const MAX_TAG_CHARS = 200;
const MAX_PAYLOAD_CHARS = 65_536;

/** What a person does, among the incremental events of rrweb. */
const ACTIVITY = new Set<unknown>([
  IncrementalSource.MouseMove,
  IncrementalSource.MouseInteraction,
  IncrementalSource.Scroll,
  IncrementalSource.Input,
  6, // TouchMove
  7, // MediaInteraction
  12, // Drag
  14, // Selection
]);

/** What the loader hands over. */
export interface RecorderEnvironment {
  /** Whether recording is allowed right now. */
  isAllowed(): boolean;
}

/** Starts recording this page; null when it was forbidden meanwhile. */
export async function startRecorder(
  given: RecorderConfig,
  { isAllowed }: RecorderEnvironment,
): Promise<RecorderHandle | null> {
  if (!isAllowed()) return null;
  const config = resolveConfig(given);
  const tabStorage = createSafeStorage(() => window.sessionStorage);
  const storage = config.crossTabSessions ? createSafeStorage(() => window.localStorage) : tabStorage;
  const claim = (): ReturnType<typeof claimWindow> => claimWindow(tabStorage, navigator.locks, wait);
  let claimed = await claim();
  if (!isAllowed()) {
    claimed.release();
    return null;
  }

  const entry = (): { url: string; referrer: string } => ({
    url: cutUrl(location.href),
    referrer: cutUrl(document.referrer),
  });
  const limits = { idleTimeoutMs: config.sessionIdleTimeoutMs, maxAgeMs: config.sessionMaxAgeMs };
  const identity = createIdentityKeeper(storage, limits, entry, Date.now());
  const listeners = new AbortController();
  let isOver = false;

  const capture = createCapture(config, onEvent);
  const sender = createSender(config.eventsUrl);
  const transport: Transport = createTransport({
    ...sender,
    flushIntervalMs: config.flushIntervalMs,
    flushEventThreshold: config.flushEventThreshold,
    version: __SENTIERO_VERSION__,
    lost: createGapMemory(tabStorage),
    isAllowed,
    requestSnapshot: () => capture.takeFullSnapshot(),
    onRotate: () => {
      identity.rotate(Date.now());
      beginRun();
      capture.takeFullSnapshot();
    },
    onStop: (status) => {
      end();
      if (status === 0 && !isAllowed()) forgetIdentity(window);
      if (status > 0) console.warn(`[sentiero] recording stopped: the server answered ${status}`);
    },
  });

  function beginRun(): void {
    const { sessionId, key } = identity.current;
    transport.begin({ sessionId, windowId: claimed.windowId, run: createRunId(), key }, pageMetadata());
  }

  function pageMetadata(): Metadata {
    if (!config.captureMetadata) return {};
    const { entryUrl, entryReferrer } = identity.current;
    return toMetadata({
      url: cutUrl(location.href),
      referrer: cutUrl(document.referrer),
      userAgent: navigator.userAgent,
      viewport: `${window.innerWidth}x${window.innerHeight}`,
      entry_url: entryUrl,
      entry_referrer: entryReferrer,
    });
  }

  function onEvent(event: RecordedEvent): void {
    const source = event.type === EventType.Incremental && isRecord(event.data) ? event.data.source : null;
    const isActivity = ACTIVITY.has(source);
    if (identity.observe(Date.now(), isActivity)) {
      beginRun();
      // A snapshot begins with its Meta event; it goes on under the new session by itself.
      if (event.type !== EventType.Meta) {
        capture.takeFullSnapshot();
        // The snapshot shows what changed already; applied to it again, the change would be there twice.
        if (source !== null && !isActivity) return;
        event = { ...event, timestamp: Date.now() };
      }
    }
    transport.push(event);
  }

  function onHide(isFinal: boolean): void {
    identity.persist();
    transport.hide(isFinal);
  }

  async function onReturn(): Promise<void> {
    // The id was let go for the back/forward cache; another tab may have it by now.
    const { windowId } = claimed;
    claimed = await claim();
    if (isOver) return claimed.release();
    if (claimed.windowId !== windowId) {
      beginRun();
      capture.takeFullSnapshot();
    }
    transport.show();
  }

  function end(): void {
    if (isOver) return;
    isOver = true;
    listeners.abort();
    capture.stop();
    claimed.release();
  }

  const { signal } = listeners;
  document.addEventListener(
    "visibilitychange",
    () => (document.visibilityState === "hidden" ? onHide(false) : transport.show()),
    {
      signal,
      capture: true,
    },
  );
  window.addEventListener(
    "pagehide",
    (event) => {
      onHide(!event.persisted);
      claimed.release();
    },
    { signal, capture: true },
  );
  window.addEventListener("pageshow", (event) => void (event.persisted && onReturn()), { signal });
  // Another tab opted out.
  window.addEventListener("storage", () => void (isAllowed() || transport.discard()), { signal });

  beginRun();
  capture.start();

  return {
    addCustomEvent(tag, payload) {
      const text = JSON.stringify(payload ?? {});
      if (typeof tag !== "string" || tag === "" || text === undefined || text.length > MAX_PAYLOAD_CHARS) {
        console.warn("[sentiero] addCustomEvent takes a name and at most 64 KB of JSON");
        return;
      }
      capture.addCustomEvent(tag.slice(0, MAX_TAG_CHARS), JSON.parse(text));
    },
    setMetadata: (metadata) => transport.setMetadata(toMetadata(metadata)),
    discard: () => {
      transport.discard();
      end();
    },
  };
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
