import {
  LitElement,
  html,
  nothing,
  type CSSResultGroup,
  type PropertyDeclarations,
  type PropertyValues,
  type TemplateResult,
} from "lit";
import { keyed } from "lit/directives/keyed.js";
import type { BatchSummary, RecordedEvent } from "../src/types.ts";
import type { ActivityItem } from "./activity-item.ts";
import { errorText, fetchBatches, isAbort } from "./api.ts";
import { formatBytes, formatClock, formatDuration } from "./formats.ts";
import { icon } from "./icons.ts";
import { isOnControl, isTyping } from "./keys.ts";
import type { RecorderCost } from "./recorder-cost.ts";
import type { TimeRange } from "./recording-stretches.ts";
import { createRecording, summaryOf, type Recording, type RecordingContent } from "./recording.ts";
import { loadBatches } from "./replay-loader.ts";
import { CONNECT, type ReplayCommand, type ReplayReport } from "./replay-messages.ts";
import { replayStyles } from "./replay-styles.ts";
import { basePath } from "./routes.ts";
import "./sentiero-timeline.ts";
import type { SeekDetail } from "./sentiero-timeline.ts";
import { baseStyles, buttonStyles } from "./shared-styles.ts";

/** `sentiero-activity`: what has been read of the recording so far. */
export interface ReplayActivityDetail {
  readonly items: readonly ActivityItem[];
  readonly gaps: readonly TimeRange[];
  /** When nothing was recorded between two parts. */
  readonly pauses: readonly TimeRange[];
  /** What recording cost the pages; null where that was not told. */
  readonly cost: RecorderCost | null;
  /** Epoch ms of the window's first event, from which all times of a replay count. */
  readonly startAt: number;
}

/** `sentiero-loaded`: how much of the recording is here. */
export interface ReplayLoadedDetail {
  readonly batches: number;
  readonly totalBatches: number;
  /** Batches that could not be had. */
  readonly failed: number;
  readonly durationMs: number;
  /** What the server says of the batches that are played. */
  readonly list: readonly BatchSummary[];
}

const SPEEDS = [1, 2, 4, 8, 16];
const STEP_MS = 5000;
/** Idle time is left this long after it began and entered again this long before it ends. */
const SKIP_AFTER_MS = 1000;
const SKIP_BEFORE_MS = 700;
/** Showing the activity anew at every batch would be felt in long recordings; the more there is, the seldomer. */
const REFRESH_MS = 150;
const TOAST_MS = 2500;

/**
 * Plays one window of a session. Give it `src`, or `events`.
 *
 * @fires sentiero-time - `{ timeMs }`, while playing and after each seek
 * @fires sentiero-state - `{ state }`: loading, ready, waiting, playing, paused, ended, empty, error
 * @fires sentiero-loaded - `ReplayLoadedDetail`, after each batch
 * @fires sentiero-activity - `ReplayActivityDetail`, as the recording becomes known
 * @fires sentiero-error - `{ message, isFatal }`
 */
export class SentieroReplay extends LitElement {
  static override styles: CSSResultGroup = [baseStyles, buttonStyles, replayStyles];

  static override properties: PropertyDeclarations = {
    src: { type: String },
    events: { attribute: false },
    startMs: { type: Number, attribute: "start-ms" },
    pageKeys: { type: Boolean, attribute: "page-keys" },
    frameSrc: { type: String, attribute: "frame-src" },
    status: { state: true },
    message: { state: true },
    isPlaying: { state: true },
    hasStarted: { state: true },
    time: { state: true },
    rate: { state: true },
    skipsIdle: { state: true },
    recording: { state: true },
    content: { state: true },
    loadedBytes: { state: true },
    toast: { state: true },
    isFullscreen: { state: true },
  };

  declare private status: "loading" | "waiting" | "ready" | "empty" | "error";
  declare private message: string;
  declare private isPlaying: boolean;
  declare private hasStarted: boolean;
  declare private time: number;
  declare private rate: number;
  declare private skipsIdle: boolean;
  declare private recording: Recording;
  declare private content: RecordingContent;
  declare private loadedBytes: number;
  declare private toast: string;
  declare private isFullscreen: boolean;

  /** Address of a window in the API (`…/api/sessions/:id/windows/:wid`); its batches are loaded from below it. */
  declare src: string | null;
  /** A recording at hand, instead of `src`. */
  declare events: readonly RecordedEvent[] | null;
  /** Where to stand at first: ms since the first event. */
  declare startMs: number;
  /** Whether keys pressed anywhere in the page work the replay, not only those pressed inside of it. */
  declare pageKeys: boolean;
  /** Address of the frame document. */
  declare frameSrc: string;

  #abort: AbortController | null = null;
  #opened = 0;
  #port: MessagePort | null = null;
  #frameIsReady: (() => void) | null = null;
  /** Where the replay should stand but does not yet. */
  #wanted: number | null = null;
  #refreshTimer = 0;
  #toastTimer = 0;

  constructor() {
    super();
    this.src = null;
    this.events = null;
    this.startMs = 0;
    this.pageKeys = false;
    this.frameSrc = `${basePath}replay-frame`;
    this.rate = 1;
    this.skipsIdle = true;
    this.toast = "";
    this.isFullscreen = false;
    this.#reset();
  }

  /** Where the replay stands, in ms since the first event. */
  get timeMs(): number {
    return this.time;
  }

  /** Length of the recording. */
  get durationMs(): number {
    return this.recording.durationMs;
  }

  /** Plays on, from the start when at the end. */
  play(): void {
    if (this.status !== "ready" && this.status !== "waiting" && this.status !== "loading") return;
    const from = this.#isAtEnd ? 0 : this.time;
    this.isPlaying = true;
    this.hasStarted = true;
    this.#seekTo(from);
    this.#announce();
  }

  /** Stops where it is. */
  pause(): void {
    this.isPlaying = false;
    this.#send({ type: "pause" });
    this.#announce();
  }

  /** Goes to a time in ms since the first event and plays on if it was playing. */
  seek(timeMs: number): void {
    this.hasStarted = true;
    this.#seekTo(timeMs);
  }

  /** Plays this many times as fast. */
  speed(rate: number): void {
    this.rate = rate;
    this.#send({ type: "speed", speed: rate });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener("keydown", this.#onPageKey);
    document.addEventListener("fullscreenchange", this.#onFullscreenChange);
    if (this.hasUpdated) this.#open();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("keydown", this.#onPageKey);
    document.removeEventListener("fullscreenchange", this.#onFullscreenChange);
    this.#close();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("src") || changed.has("events")) this.#open();
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has("loadedBytes") || changed.has("status")) {
      const { totalBytes } = this.recording;
      const done = totalBytes > 0 ? this.loadedBytes / totalBytes : 0;
      this.style.setProperty("--progress", `${Math.max(4, done * 100)}%`);
    }
  }

  #reset(): void {
    this.status = "loading";
    this.message = "";
    this.isPlaying = false;
    this.hasStarted = false;
    this.time = 0;
    this.#wanted = null;
    this.#begin([]);
  }

  #begin(batches: readonly BatchSummary[]): void {
    this.recording = createRecording(batches);
    this.content = this.recording.read();
    this.loadedBytes = 0;
  }

  get #isAtEnd(): boolean {
    const { isComplete, durationMs } = this.recording;
    return isComplete && !this.isPlaying && durationMs > 0 && this.time >= durationMs;
  }

  #close(): void {
    this.#abort?.abort();
    this.#abort = null;
    this.#port?.close();
    this.#port = null;
    clearTimeout(this.#refreshTimer);
    this.#refreshTimer = 0;
  }

  #open(): void {
    this.#close();
    this.#reset();
    this.#opened++;
    this.#abort = new AbortController();
    this.#announce();
    if (this.src !== null || this.events !== null) void this.#load(this.#abort.signal);
  }

  async #load(signal: AbortSignal): Promise<void> {
    const ready = new Promise<void>((resolve) => (this.#frameIsReady = resolve));
    try {
      const source = this.src ?? "";
      const given = this.events;
      const batches = given ? [summaryOf(given)] : (await fetchBatches(source, signal)).batches;
      signal.throwIfAborted();
      this.#begin(batches.filter((batch) => !batch.isConflict));
      const { recording } = this;
      if (recording.startAt === 0) return this.#fail("empty", "This tab sent nothing that could be played.");
      this.time = this.#wanted = Math.min(Math.max(0, this.startMs || 0), recording.durationMs);
      await ready;
      signal.throwIfAborted();
      this.#send({ type: "start", startAt: recording.startAt });
      this.#send({ type: "speed", speed: this.rate });
      if (given) this.#take(0, given);
      else {
        await loadBatches({
          source,
          batches: recording.batches,
          signal,
          wantedAt: () => recording.startAt + (this.#wanted ?? this.time),
          onBatch: (index, events) => this.#take(index, events),
        });
      }
      this.#refresh();
      if (!recording.hasPage) {
        this.#fail("empty", "The page itself never arrived, so it can't be drawn. What was done on it is in the list.");
      }
    } catch (error) {
      if (isAbort(error)) return;
      this.#fail("error", errorText(error));
    }
  }

  #take(index: number, events: readonly RecordedEvent[] | null): void {
    const { recording } = this;
    recording.take(index, events);
    this.loadedBytes = recording.loadedBytes;
    if (events) this.#send({ type: "events", index, events });
    this.#refreshTimer ||= window.setTimeout(() => this.#refresh(), REFRESH_MS + this.content.items.length / 10);
    const detail: ReplayLoadedDetail = {
      batches: recording.loadedBatches,
      totalBatches: recording.batches.length,
      failed: recording.failedBatches,
      durationMs: recording.durationMs,
      list: recording.batches,
    };
    this.#fire("sentiero-loaded", detail);
    this.#advance();
  }

  #refresh(): void {
    clearTimeout(this.#refreshTimer);
    this.#refreshTimer = 0;
    this.content = this.recording.read();
    const { items, gaps, pauses, cost } = this.content;
    const detail: ReplayActivityDetail = { items, gaps, pauses, cost, startAt: this.recording.startAt };
    this.#fire("sentiero-activity", detail);
  }

  #seekTo(timeMs: number): void {
    if (this.status === "empty" || this.status === "error") return;
    this.time = this.#wanted = Math.min(Math.max(0, timeMs), this.recording.durationMs);
    this.#fire("sentiero-time", { timeMs: this.time });
    this.#advance();
  }

  /** Stands where it should, once what that needs is loaded. */
  #advance(): void {
    if (this.#wanted === null || !this.#port || this.recording.loadedBatches === 0) return;
    if (this.recording.playableUntil(this.#wanted) === null) {
      if (this.status === "ready") {
        this.status = "waiting";
        this.#send({ type: "pause" });
        this.#announce();
      }
      return;
    }
    this.#send({ type: "seek", timeMs: this.#wanted, play: this.isPlaying });
    this.#wanted = null;
    const wasReady = this.status === "ready";
    this.status = "ready";
    if (!wasReady) this.#announce();
  }

  #fail(status: "empty" | "error", message: string): void {
    this.status = status;
    this.message = message;
    this.#announce();
    if (status === "error") this.#fire("sentiero-error", { message, isFatal: true });
  }

  #send(command: ReplayCommand): void {
    this.#port?.postMessage(command);
  }

  #fire(type: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }

  #announce(): void {
    const state =
      this.status !== "ready"
        ? this.status
        : this.isPlaying
          ? "playing"
          : this.#isAtEnd
            ? "ended"
            : this.hasStarted
              ? "paused"
              : "ready";
    this.#fire("sentiero-state", { state });
  }

  #onFrameLoad(event: Event): void {
    const frame = (event.currentTarget as HTMLIFrameElement).contentWindow;
    if (!frame) return;
    const { port1, port2 } = new MessageChannel();
    this.#port?.close();
    this.#port = port1;
    port1.addEventListener("message", (message: MessageEvent<ReplayReport>) => this.#onReport(message.data));
    port1.start();
    frame.postMessage(CONNECT, location.origin, [port2]);
  }

  #onReport(report: ReplayReport): void {
    switch (report.type) {
      case "ready":
        this.#frameIsReady?.();
        break;
      case "time":
        this.#onTime(report.timeMs);
        break;
      case "state":
        if (report.state === "ended") this.#onEnd();
        break;
      case "problem":
        if (report.isFatal)
          this.#fail("empty", "The recorded page can't be drawn. What was done on it is in the list.");
        this.#fire("sentiero-error", { message: report.message, isFatal: report.isFatal });
        break;
      case "drawn":
      case "viewport":
        break;
    }
  }

  #onTime(timeMs: number): void {
    if (this.#wanted !== null) return;
    this.time = Math.min(Math.max(0, timeMs), this.recording.durationMs);
    this.#fire("sentiero-time", { timeMs: this.time });
    if (!this.isPlaying) return;
    const until = this.recording.playableUntil(this.time);
    if (until === null || this.time >= until - 50) {
      this.#send({ type: "pause" });
      this.#wanted = this.time;
      this.status = "waiting";
      this.#announce();
      return;
    }
    const gap =
      this.skipsIdle &&
      this.content.gaps.find(
        ({ from, to }) => this.time > from + SKIP_AFTER_MS && this.time < to - SKIP_BEFORE_MS - SKIP_AFTER_MS,
      );
    if (gap) {
      this.#showToast(`Skipped ${formatDuration(gap.to - this.time)} of idle time`);
      this.#seekTo(gap.to - SKIP_BEFORE_MS);
    }
  }

  #onEnd(): void {
    if (this.#wanted !== null || !this.isPlaying) return;
    if (!this.recording.isComplete) {
      this.#wanted = this.time;
      this.status = "waiting";
    } else {
      this.isPlaying = false;
      this.time = this.recording.durationMs;
      this.#fire("sentiero-time", { timeMs: this.time });
    }
    this.#announce();
    this.#advance();
  }

  #onSeek(event: CustomEvent<SeekDetail>): void {
    event.stopPropagation();
    this.seek(event.detail.timeMs);
  }

  #onToggle(): void {
    if (this.isPlaying) this.pause();
    else this.play();
  }

  #onStageClick(event: Event): void {
    if (
      this.hasStarted &&
      this.status === "ready" &&
      !(event.target instanceof Element && event.target.closest("button"))
    ) {
      this.#onToggle();
    }
  }

  #onSpeed(event: Event): void {
    this.speed(Number((event.currentTarget as HTMLSelectElement).value));
  }

  #onSkip(): void {
    this.skipsIdle = !this.skipsIdle;
  }

  #onRetry(): void {
    this.#open();
  }

  #onFullscreen(): void {
    if (document.fullscreenElement) void document.exitFullscreen();
    else void this.requestFullscreen?.();
  }

  #onFullscreenChange = (): void => {
    this.isFullscreen = document.fullscreenElement !== null && this.matches(":fullscreen");
  };

  #onPageKey = (event: KeyboardEvent): void => {
    if (isTyping(event)) return;
    if (!this.pageKeys && !event.composedPath().includes(this)) return;
    switch (event.key) {
      case " ":
        if (isOnControl(event)) return;
        this.#onToggle();
        break;
      case "ArrowLeft":
        this.seek(this.time - STEP_MS);
        break;
      case "ArrowRight":
        this.seek(this.time + STEP_MS);
        break;
      case "ArrowUp":
      case "ArrowDown": {
        const index = SPEEDS.indexOf(this.rate) + (event.key === "ArrowUp" ? 1 : -1);
        this.speed(SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, index))]!);
        this.#showToast(`${this.rate}× speed`);
        break;
      }
      case "f":
        this.#onFullscreen();
        break;
      default:
        return;
    }
    event.preventDefault();
  };

  #showToast(text: string): void {
    this.toast = text;
    clearTimeout(this.#toastTimer);
    this.#toastTimer = window.setTimeout(() => (this.toast = ""), TOAST_MS);
  }

  #renderOver(): TemplateResult | typeof nothing {
    switch (this.status) {
      case "loading":
      case "waiting":
        return html`<div class="over veil" role="status">
          <div class="message">
            <div class="progress"><div class="bar"></div></div>
            ${
              this.recording.totalBytes > 0
                ? html`Loading ${formatBytes(this.loadedBytes)} of ${formatBytes(this.recording.totalBytes)}`
                : "Loading the recording"
            }
          </div>
        </div>`;
      case "empty":
        return html`<div class="over solid" role="status">
          <div class="message">${icon("info")} ${this.message}</div>
        </div>`;
      case "error":
        return html`<div class="over solid" role="alert">
          <div class="message">
            ${icon("warning")} ${this.message}
            <button class="button" type="button" @click=${this.#onRetry}>Try again</button>
          </div>
        </div>`;
      case "ready":
        return this.hasStarted
          ? nothing
          : html`<div class="over">
              <button class="big" type="button" aria-label="Play" @click=${this.#onToggle}>${icon("play")}</button>
            </div>`;
    }
  }

  #renderControls(): TemplateResult {
    const isOff = this.status === "empty" || this.status === "error";
    const { recording, content } = this;
    const isAtEnd = this.#isAtEnd;
    const word = this.isPlaying ? "Pause" : isAtEnd ? "Play again" : "Play";
    return html`<div class="controls">
      <sentiero-timeline
        .durationMs=${recording.durationMs}
        .timeMs=${this.time}
        .items=${content.items}
        .gaps=${content.gaps}
        .pauses=${content.pauses}
        .loaded=${content.loaded}
        .startAt=${recording.startAt}
        .disabled=${isOff || recording.durationMs === 0}
        @sentiero-seek=${this.#onSeek}
      ></sentiero-timeline>
      <div class="row">
        <button
          class="button square primary"
          type="button"
          aria-label=${word}
          title="${word} (space)"
          ?disabled=${isOff}
          @click=${this.#onToggle}
        >
          ${icon(this.isPlaying ? "pause" : isAtEnd ? "replay" : "play")}
        </button>
        <div class="time">${formatClock(this.time)} <span>/ ${formatClock(recording.durationMs)}</span></div>
        ${
          this.status === "ready" && !recording.isComplete
            ? html`<div class="part">
                ${formatBytes(this.loadedBytes)} of ${formatBytes(recording.totalBytes)} loaded
              </div>`
            : nothing
        }
        ${
          recording.failedBatches > 0 && recording.isComplete
            ? html`<div class="part" role="status">
                ${recording.failedBatches} of ${recording.batches.length} parts could not be loaded
                <button class="button plain" type="button" @click=${this.#onRetry}>Load again</button>
              </div>`
            : nothing
        }
        <button
          class="button"
          type="button"
          aria-pressed=${this.skipsIdle}
          title="Skip time in which nothing was done"
          @click=${this.#onSkip}
        >
          ${icon("skip")}<span class="skip-word">Skip idle time</span>
        </button>
        <label>
          <span class="only-read">Speed</span>
          <select class="button" title="Speed (↑ ↓)" @change=${this.#onSpeed}>
            ${SPEEDS.map((speed) => html`<option value=${speed} ?selected=${speed === this.rate}>${speed}×</option>`)}
          </select>
        </label>
        <button
          class="button square plain"
          type="button"
          aria-label=${this.isFullscreen ? "Leave full screen" : "Full screen"}
          title=${this.isFullscreen ? "Leave full screen (f)" : "Full screen (f)"}
          @click=${this.#onFullscreen}
        >
          ${icon(this.isFullscreen ? "exit" : "fullscreen")}
        </button>
      </div>
    </div>`;
  }

  override render(): TemplateResult {
    return html`
      <div class="stage" @click=${this.#onStageClick}>
        ${keyed(
          this.#opened,
          html`<iframe
            src=${this.frameSrc}
            title="The recorded page"
            inert
            tabindex="-1"
            @load=${this.#onFrameLoad}
          ></iframe>`,
        )}
        ${this.#renderOver()} ${this.toast ? html`<div class="toast" role="status">${this.toast}</div>` : nothing}
      </div>
      ${this.#renderControls()}
    `;
  }
}

customElements.define("sentiero-replay", SentieroReplay);

declare global {
  interface HTMLElementTagNameMap {
    "sentiero-replay": SentieroReplay;
  }
}
