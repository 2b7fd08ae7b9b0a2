import { setTimeout as sleep } from "node:timers/promises";
import type { Devtools } from "./devtools.ts";
import {
  addAtLoad,
  addNow,
  change,
  CHANGED_KINDS,
  FIND_FIELDS,
  focusField,
  HIDE,
  leaveField,
  OPT_IN,
  sendControl,
  SUBMIT,
  UNMASKED,
} from "./page-scripts.ts";
import { createPlanting, createWord, holds, type Moment, type Planted } from "./planted.ts";
import { watchRequests, type SentRequest } from "./sent-requests.ts";
import { CommandError } from "./usage-error.ts";

/** Time for a recorder to start, or to notice what changed, ms. */
const PAUSE_MS = 1_500;
const POLL_MS = 200;

/** More fields of one page are not filled: each takes some milliseconds. */
const MAX_FIELDS = 300;

/** How a page is visited. */
export interface VisitOptions {
  readonly url: string;
  readonly isStrict: boolean;
  /** Sent to the page's own origin only. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** How long to wait for the page, and for the control word, ms. */
  readonly timeoutMs: number;
}

/** One kind of field, and whether what was in it left the page. */
export interface KindResult {
  readonly kind: string;
  readonly isClean: boolean;
  /** Whether the page shows it on purpose, by `data-sentiero-unmask`. */
  readonly isUnmasked: boolean;
  /** Addresses without query to which it went. */
  readonly to: readonly string[];
  readonly moments: readonly Moment[];
}

/** What left a page. */
export interface VisitResult {
  /** Whether the control word, or one that should not, left the page: else nothing was recorded. */
  readonly isRecorded: boolean;
  readonly kinds: readonly KindResult[];
  /** Requests and messages that were looked through. */
  readonly requests: number;
  /** Addresses to which a body went that could not be read. */
  readonly unread: readonly string[];
}

/** Plants words in a page, uses it, and looks for them in everything that it sends. */
export async function visit(devtools: Devtools, options: VisitOptions): Promise<VisitResult> {
  const { url, isStrict, headers, timeoutMs } = options;
  const { targetId } = await devtools.send("Target.createTarget", { url: "about:blank" });
  const { sessionId } = await devtools.send("Target.attachToTarget", { targetId, flatten: true });
  const session = String(sessionId);
  const requests = await watchRequests(devtools, session);
  const planting = createPlanting(isStrict);
  const control = createWord();

  async function evaluate(expression: string): Promise<unknown> {
    const answer = await devtools.send(
      "Runtime.evaluate",
      { expression, returnByValue: true, awaitPromise: true },
      session,
    );
    const { exceptionDetails, result } = answer as {
      exceptionDetails?: { exception?: { description?: string }; text: string };
      result: { value?: unknown };
    };
    if (exceptionDetails) {
      const what = exceptionDetails.exception?.description ?? exceptionDetails.text;
      throw new CommandError(`the page does not take what is put into it: ${what.split("\n", 1)[0]}`);
    }
    return result.value;
  }

  async function open(): Promise<void> {
    const source = addAtLoad(planting.html("at load"));
    await devtools.send("Page.addScriptToEvaluateOnNewDocument", { source }, session);
    if (headers.length > 0) await addHeaders(devtools, session, new URL(url).origin, headers);
    const isLoaded = new Promise<void>((resolve) => {
      devtools.onEvent((event) => {
        if (event.sessionId === session && event.method === "Page.loadEventFired") resolve();
      });
    });
    const { errorText } = await devtools.send("Page.navigate", { url }, session);
    if (errorText) throw new CommandError(`${url} can't be opened: ${String(errorText)}`);
    await Promise.race([isLoaded, sleep(timeoutMs)]);
  }

  async function type(): Promise<void> {
    const kinds = (await evaluate(FIND_FIELDS)) as string[];
    for (const [index, kind] of kinds.slice(0, MAX_FIELDS).entries()) {
      if (!(await evaluate(focusField(index)))) continue;
      await devtools.send("Input.insertText", { text: planting.plant(kind, "typed") }, session);
      await evaluate(leaveField(index));
    }
  }

  const isSeen = (word: string): boolean => requests.all().some((request) => holdsWord(request, word));

  await open();
  await evaluate(OPT_IN);
  await sleep(PAUSE_MS);
  await evaluate(addNow(planting.html("later")));
  await sleep(PAUSE_MS);
  await type();
  for (const kind of CHANGED_KINDS) await evaluate(change(kind, planting.plant(kind, "changed")));
  await evaluate(SUBMIT);
  await sleep(PAUSE_MS);
  // Last: recorders send in order, so what came before has left the page too.
  await evaluate(sendControl(control, !isStrict));
  await sleep(PAUSE_MS);
  await evaluate(HIDE);
  for (const until = Date.now() + timeoutMs; Date.now() < until && !isSeen(control);) await sleep(POLL_MS);
  await devtools.send("Page.navigate", { url: "about:blank" }, session);
  await sleep(PAUSE_MS);

  const kinds = toKinds(planting.planted, requests.all());
  return {
    isRecorded: isSeen(control) || kinds.some(({ isClean }) => !isClean),
    kinds,
    requests: requests.all().length,
    unread: requests.unread(),
  };
}

function toKinds(planted: readonly Planted[], requests: readonly SentRequest[]): KindResult[] {
  const kinds = [...new Set(planted.map(({ kind }) => kind))];
  return kinds.map((kind) => {
    const to = new Set<string>();
    const moments = new Set<Moment>();
    for (const { word, moment } of planted.filter((one) => one.kind === kind)) {
      for (const request of requests) {
        if (!holdsWord(request, word)) continue;
        to.add(request.url.split(/[?#]/, 1)[0]!);
        moments.add(moment);
      }
    }
    return { kind, isClean: to.size === 0, isUnmasked: kind.startsWith(UNMASKED), to: [...to], moments: [...moments] };
  });
}

function holdsWord({ url, texts }: SentRequest, word: string): boolean {
  return holds(url, word) || texts.some((text) => holds(text, word));
}

/** Adds headers to requests of one origin: others must not get what lets somebody in there. */
async function addHeaders(
  devtools: Devtools,
  session: string,
  origin: string,
  added: VisitOptions["headers"],
): Promise<void> {
  devtools.onEvent(({ method, params, sessionId }) => {
    if (method !== "Fetch.requestPaused" || sessionId !== session) return;
    const { request, requestId } = params as { request: { headers: Record<string, string> }; requestId: string };
    const headers = [...Object.entries(request.headers), ...added].map(([name, value]) => ({ name, value }));
    // It may be gone with its page.
    void devtools.send("Fetch.continueRequest", { requestId, headers }, session).catch(() => {});
  });
  await devtools.send("Fetch.enable", { patterns: [{ urlPattern: `${origin}/*` }] }, session);
}
