import { cost } from "../cost.ts";
import { queueMicrotask, setTimeout } from "../timers.ts";
import { type Change, type Channel, createDelivery } from "./delivery.ts";
import { endHandlers } from "./handlers.ts";
import { createPending, type Mirror, UNKNOWN } from "./pending.ts";
import { flushBefore } from "./triggers.ts";

/** How long the rest may wait for the page to have nothing to do, in ms; where a browser can't tell, how long it waits. */
const IDLE_WITHIN_MS = 100;
const PAUSE_MS = 30;

/** Recording can change the page, which is recorded too: rrweb marks what was a password field. */
const MAX_ROUNDS = 10;

/** What rrweb keeps for an observer. There is more of it; this is what is used. */
export interface MutationBuffer {
  /** Marks a node, and by calling itself what is under it, to be recorded as added. */
  genAdds(node: Node): void;
}

type Callback = (changes: readonly Change[]) => void;

/** What rrweb needs of a MutationObserver. */
export interface Observer {
  observe(root: Node, options: MutationObserverInit): void;
  disconnect(): void;
}

interface OpenChannel extends Channel {
  close(): void;
}

/** Stands between the page's changes and rrweb. */
interface Merger {
  touchesStyle(): boolean;
  observer(callback: Callback): Observer;
  flush(): void;
}

let merger: Merger | undefined;
/** How merging goes about its work. */
export interface MergingOptions {
  /** How long changes of the document are gathered before they are recorded, in ms. */
  readonly mergeWindowMs: number;
  /** How long recording them may hold the page at a time, in ms. */
  readonly taskBudgetMs: number;
  /** Called when changes were lost: what follows can't be played without a new snapshot. */
  onFailure(): void;
}

let options: MergingOptions = { mergeWindowMs: 500, taskBudgetMs: 16, onFailure: () => {} };

/** Sets how the observers that rrweb makes from now on do their work. */
export function setUpMerging(given: MergingOptions): void {
  options = given;
}

/**
 * The constructor that rrweb uses in place of MutationObserver: it gets what is left of the changes after a while, not every
 * change at once. `buffers` is rrweb's list of what it keeps for its observers, the newest last.
 */
export function toMergingObserver(
  Native: typeof MutationObserver,
  buffers: MutationBuffer[],
  mirror: Mirror,
): new (callback: Callback) => Observer {
  const { observer } = (merger ??= createMerger(Native, buffers, mirror));
  return function (callback: Callback) {
    return observer(callback);
  } as unknown as new (callback: Callback) => Observer;
}

/** Records every change up to now, at once. Nothing where rrweb was not built to merge. */
export function flushMutations(): void {
  merger?.flush();
}

/** Whether changes of a style element wait, so that numbers of its rules mean something else in the recording. */
export function hasPendingStyles(): boolean {
  return merger?.touchesStyle() ?? false;
}

function createMerger(Native: typeof MutationObserver, buffers: MutationBuffer[], mirror: Mirror): Merger {
  const pending = createPending(mirror);
  const channels = new Map<Document, OpenChannel>();
  const delivery = createDelivery(
    pending,
    mirror,
    (document) => channels.get(document),
    () => seesShadows,
  );
  // One for all documents and shadow roots, so that changes come in the order in which they happened.
  const native = new Native(take);
  let seesShadows = false;
  /** Calls off what is scheduled. */
  let cancel: (() => void) | undefined;

  function take(records: readonly MutationRecord[]): void {
    const start = performance.now();
    pending.take(records);
    cost.addRecords(records.length, performance.now() - start);
    schedule();
  }

  /** Takes in what the browser has not reported yet. */
  function takeNow(): void {
    const records = native.takeRecords();
    if (records.length > 0) pending.take(records);
  }

  function schedule(): void {
    if (!pending.isEmpty) cancel ??= after(options.mergeWindowMs, deliverSome);
  }

  function deliver(isOver: () => boolean): void {
    takeNow();
    if (pending.isEmpty) return;
    const start = performance.now();
    try {
      delivery.run(isOver);
    } catch {
      // An odd page must not end the recording. What waits can't be told any more.
      pending.clear();
      options.onFailure();
    }
    for (const document of channels.keys()) {
      if (document.defaultView) continue;
      end(document);
      // rrweb forgets a frame that was removed, but not what was in it.
      mirror.removeNodeFromMap(document);
    }
    cost.addTask(performance.now() - start);
  }

  /** Ends rrweb's listening to a document. */
  function end(document: Document): void {
    channels.get(document)?.close();
    // To end its listening to one document, rrweb ends that to every shadow root of the page: to those in this list.
    const others = buffers.splice(0);
    endHandlers(document);
    buffers.push(...others);
  }

  function deliverSome(): void {
    cancel = undefined;
    const end = performance.now() + options.taskBudgetMs;
    deliver(() => performance.now() >= end);
    if (!pending.isEmpty) cancel ??= whenIdle(deliverSome);
  }

  function flush(): void {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      deliver(() => false);
      if (pending.isEmpty) break;
    }
    cancel?.();
    cancel = undefined;
    if (!pending.isEmpty) cancel = whenIdle(deliverSome);
  }

  /** Takes over for one document: what waits is recorded before what people do there. */
  function open(document: Document, callback: Callback): OpenChannel {
    const buffer = buffers.at(-1)!;
    // A frame that was there before it was loaded is recorded and observed twice.
    if (channels.has(document)) end(document);
    takeNow();
    pending.forget(document);
    schedule();
    const { genAdds } = buffer;
    // What waits is not recorded together with what is above it: that may be too much at a time.
    buffer.genAdds = (node) => {
      if (!pending.added.has(node)) genAdds(node);
    };
    const listeners = new AbortController();
    if (document.defaultView) flushBefore(document.defaultView, mirror, flush, listeners.signal);
    const channel: OpenChannel = {
      deliver: callback,
      close() {
        if (channels.get(document) === channel) channels.delete(document);
        listeners.abort();
        remove(buffers, buffer);
      },
    };
    channels.set(document, channel);
    return channel;
  }

  return {
    touchesStyle() {
      takeNow();
      schedule();
      return pending.touchesStyle;
    },
    observer(callback) {
      let channel: OpenChannel | undefined;
      return {
        observe(root, options) {
          native.observe(root, options);
          if (root.nodeType === Node.DOCUMENT_NODE) {
            channel = open(root as Document, callback);
            return;
          }
          seesShadows = true;
          // Changes of a shadow root go with those of its document; rrweb would keep this for ever.
          remove(buffers, buffers.at(-1)!);
          // rrweb asks for the id of the host right after this task, to note its style sheets.
          if (mirror.getId((root as ShadowRoot).host) === UNKNOWN) queueMicrotask(flush);
        },
        disconnect() {
          channel?.close();
          if (channels.size > 0) return;
          native.disconnect();
          cancel?.();
          cancel = undefined;
          pending.clear();
        },
      };
    },
    flush,
  };
}

function after(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
}

function whenIdle(run: () => void): () => void {
  if (typeof requestIdleCallback !== "function") return after(PAUSE_MS, run);
  const handle = requestIdleCallback(run, { timeout: IDLE_WITHIN_MS });
  return () => cancelIdleCallback(handle);
}

function remove<Item>(list: Item[], item: Item): void {
  const at = list.indexOf(item);
  if (at >= 0) list.splice(at, 1);
}
