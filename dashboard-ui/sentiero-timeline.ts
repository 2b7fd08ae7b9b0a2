import {
  LitElement,
  css,
  html,
  nothing,
  svg,
  type CSSResultGroup,
  type PropertyDeclarations,
  type PropertyValues,
  type SVGTemplateResult,
  type TemplateResult,
} from "lit";
import type { ActivityItem, ActivityKind } from "./activity-item.ts";
import { formatClock, formatDuration } from "./formats.ts";
import type { TimeRange } from "./recording-stretches.ts";
import { baseStyles } from "./shared-styles.ts";
import { createTimeScale, type TimeScale } from "./time-scale.ts";

/** What the viewer asks the replay to do. */
export interface SeekDetail {
  readonly timeMs: number;
  /** More seeks of the same drag will follow. */
  readonly isDragging: boolean;
}

/** Marks closer than this part of the timeline become one. */
const MARK_PLACES = 150;
/** Of several marks in one place the first of these is shown. */
const KINDS: readonly ActivityKind[] = ["error", "page", "custom", "form", "click", "input"];
/** What the legend calls them; a form that is sent looks like an event. */
const LEGEND: readonly (readonly [kind: ActivityKind, name: string])[] = [
  ["error", "Errors"],
  ["page", "Pages"],
  ["custom", "Events"],
  ["click", "Clicks"],
  ["input", "Input"],
];
const STEP_MS = 5000;
const PAGE_MS = 30_000;
/** A seek backwards builds the recorded page anew, so a drag does not ask for one at every move. */
const DRAG_SEEK_MS = 100;

/**
 * The slider of a replay: activity as marks, idle time hatched and narrow, time that was not recorded as a broken line.
 *
 * @fires sentiero-seek - `SeekDetail`
 */
export class SentieroTimeline extends LitElement {
  static override styles: CSSResultGroup = [
    baseStyles,
    css`
      :host {
        --played: 0%;
        --pointed: 0%;
        position: relative;
      }
      .slider {
        position: relative;
        height: 36px;
        cursor: pointer;
        touch-action: pan-y;
        border-radius: var(--s-radius-sm, 6px);
      }
      svg {
        display: block;
        width: 100%;
        height: 100%;
        overflow: visible;
      }
      .track {
        fill: var(--s-border, #e4e4dc);
      }
      .loaded {
        fill: var(--s-border-strong, #c9cac0);
      }
      .gap {
        fill: var(--s-surface, #fff);
      }
      .hatched {
        fill: url(#hatch);
      }
      .hatch {
        stroke: var(--s-border-strong, #c9cac0);
        stroke-width: 2;
      }
      .mark {
        fill: var(--s-kind-quiet, #73796f);
      }
      .page {
        fill: var(--s-kind-page, #1f7a5a);
      }
      .click {
        fill: var(--s-kind-click, #1d66b8);
      }
      .input {
        fill: var(--s-kind-input, #7c4bc0);
      }
      .custom,
      .form {
        fill: var(--s-kind-custom, #9a5b00);
      }
      .error {
        fill: var(--s-kind-error, #c62f26);
      }
      .broken {
        stroke: var(--s-kind-quiet, #73796f);
        stroke-width: 2;
        stroke-dasharray: 3 3;
      }
      .legend {
        display: flex;
        flex-wrap: wrap;
        gap: 0 var(--s-3, 12px);
        color: var(--s-text-3, #646a60);
        font-size: 0.6875rem;
        line-height: 16px;
      }
      .legend li {
        display: flex;
        align-items: center;
        gap: 4px;
      }
      .legend svg {
        width: 14px;
        height: 10px;
      }
      .played,
      .thumb,
      .pointer {
        position: absolute;
        pointer-events: none;
      }
      .played {
        left: 0;
        bottom: 7px;
        width: var(--played);
        height: 6px;
        border-radius: 3px;
        background: var(--s-accent, #1f6b4f);
        opacity: 0.85;
      }
      .thumb {
        left: var(--played);
        bottom: 3px;
        width: 14px;
        height: 14px;
        margin-left: -7px;
        border: 2px solid var(--s-surface, #fff);
        border-radius: 50%;
        background: var(--s-accent, #1f6b4f);
        box-shadow: 0 0 0 1px rgb(0 0 0 / 15%);
      }
      .pointer {
        top: 4px;
        bottom: 4px;
        left: var(--pointed);
        width: 1px;
        background: var(--s-text-3, #646a60);
      }
      .bubble {
        position: absolute;
        bottom: calc(100% + 2px);
        left: clamp(110px, var(--pointed), calc(100% - 110px));
        z-index: 3;
        width: max-content;
        max-width: 220px;
        padding: 4px 8px;
        border-radius: var(--s-radius-sm, 6px);
        background: var(--s-text, #1b1e1a);
        color: var(--s-bg, #fff);
        font-size: var(--s-text-xs, 0.75rem);
        line-height: 1.4;
        pointer-events: none;
        transform: translateX(-50%);
      }
      .bubble b {
        font-weight: 600;
      }
      @media print {
        :host {
          display: none;
        }
      }
    `,
  ];

  static override properties: PropertyDeclarations = {
    durationMs: { type: Number },
    timeMs: { type: Number },
    items: { attribute: false },
    gaps: { attribute: false },
    pauses: { attribute: false },
    loaded: { attribute: false },
    startAt: { type: Number },
    disabled: { type: Boolean },
    pointedMs: { state: true },
  };

  declare private pointedMs: number | null;

  /** Length of the replay. */
  declare durationMs: number;
  /** Where it stands. */
  declare timeMs: number;
  /** What happened, in order of time. */
  declare items: readonly ActivityItem[];
  /** Idle time, in ms of the replay. */
  declare gaps: readonly TimeRange[];
  /** Time that was not recorded, in ms of the replay. */
  declare pauses: readonly TimeRange[];
  /** What is loaded, in ms of the replay. */
  declare loaded: readonly TimeRange[];
  /** Epoch ms of the replay's begin. */
  declare startAt: number;
  /** Whether there is nothing to seek in. */
  declare disabled: boolean;

  #scale: TimeScale = createTimeScale(0, []);
  #marks: SVGTemplateResult[] = [];
  #draggedAt = 0;
  #isDragging = false;

  constructor() {
    super();
    this.durationMs = 0;
    this.timeMs = 0;
    this.items = [];
    this.gaps = [];
    this.pauses = [];
    this.loaded = [];
    this.startAt = 0;
    this.disabled = false;
    this.pointedMs = null;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("durationMs") || changed.has("gaps")) this.#scale = createTimeScale(this.durationMs, this.gaps);
    if (changed.has("durationMs") || changed.has("gaps") || changed.has("items")) this.#marks = this.#drawMarks();
  }

  protected override updated(): void {
    this.style.setProperty("--played", percent(this.#scale.toPlace(this.timeMs)));
    if (this.pointedMs !== null) this.style.setProperty("--pointed", percent(this.#scale.toPlace(this.pointedMs)));
  }

  #onPointerDown(event: PointerEvent): void {
    if (this.disabled || event.button !== 0) return;
    (event.currentTarget as Element).setPointerCapture(event.pointerId);
    this.#isDragging = true;
    this.#draggedAt = event.timeStamp;
    this.#seek(this.#timeAt(event), true);
  }

  #onPointerMove(event: PointerEvent): void {
    const timeMs = this.#timeAt(event);
    this.pointedMs = this.disabled ? null : timeMs;
    if (!this.#isDragging || event.timeStamp - this.#draggedAt < DRAG_SEEK_MS) return;
    this.#draggedAt = event.timeStamp;
    this.#seek(timeMs, true);
  }

  #onPointerUp(event: PointerEvent): void {
    if (!this.#isDragging) return;
    this.#isDragging = false;
    this.#seek(this.#timeAt(event), false);
  }

  #onPointerLeave(): void {
    this.pointedMs = null;
  }

  #onKeyDown(event: KeyboardEvent): void {
    if (this.disabled || event.ctrlKey || event.metaKey || event.altKey) return;
    const steps: Record<string, number> = {
      ArrowLeft: this.timeMs - STEP_MS,
      ArrowRight: this.timeMs + STEP_MS,
      PageUp: this.timeMs + PAGE_MS,
      PageDown: this.timeMs - PAGE_MS,
      Home: 0,
      End: this.durationMs,
    };
    const timeMs = steps[event.key];
    if (timeMs === undefined) return;
    event.preventDefault();
    this.#seek(timeMs, false);
  }

  #seek(timeMs: number, isDragging: boolean): void {
    const detail: SeekDetail = { timeMs: Math.min(this.durationMs, Math.max(0, timeMs)), isDragging };
    this.dispatchEvent(new CustomEvent<SeekDetail>("sentiero-seek", { detail }));
  }

  #timeAt(event: PointerEvent): number {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    return this.#scale.toTime(Math.min(1, Math.max(0, (event.clientX - box.left) / Math.max(1, box.width))));
  }

  #drawMarks(): SVGTemplateResult[] {
    const shown = new Map<number, ActivityKind>();
    for (const item of this.items) {
      const rank = KINDS.indexOf(item.kind);
      if (rank < 0) continue;
      const place = Math.round(this.#scale.toPlace(item.at - this.startAt) * MARK_PLACES);
      const other = shown.get(place);
      if (!other || rank < KINDS.indexOf(other)) shown.set(place, item.kind);
    }
    return [...shown].map(([place, kind]) => {
      const isTall = kind === "page" || kind === "error";
      const x = percent(place / MARK_PLACES);
      return svg`<rect class="mark ${kind}" x=${x} y=${isTall ? 3 : 9} width="3" height=${isTall ? 17 : 11} rx="1.5" transform="translate(-1.5 0)"/>`;
    });
  }

  #nearest(timeMs: number): ActivityItem | null {
    const place = this.#scale.toPlace(timeMs);
    let found: ActivityItem | null = null;
    let distance = 0.008;
    for (const item of this.items) {
      if (!KINDS.includes(item.kind)) continue;
      const away = Math.abs(this.#scale.toPlace(item.at - this.startAt) - place);
      if (away < distance) [found, distance] = [item, away];
    }
    return found;
  }

  #renderBubble(): TemplateResult | typeof nothing {
    const timeMs = this.pointedMs;
    if (timeMs === null) return nothing;
    const item = this.#nearest(timeMs);
    const isIn = ({ from, to }: TimeRange): boolean => timeMs > from && timeMs < to;
    const pause = this.pauses.find(isIn);
    const gap = this.gaps.find(isIn);
    const text = item
      ? html` <span class="recorded">${item.label} ${item.detail}</span>`
      : pause
        ? html` not recorded for ${formatDuration(pause.to - pause.from)}`
        : gap
          ? html` idle for ${formatDuration(gap.to - gap.from)}`
          : nothing;
    return html`<div class="bubble"><b>${formatClock(item ? item.at - this.startAt : timeMs)}</b>${text}</div>
      <div class="pointer"></div>`;
  }

  #renderRange(range: TimeRange, name: string): SVGTemplateResult {
    const from = this.#scale.toPlace(range.from);
    const width = Math.max(0, this.#scale.toPlace(range.to) - from);
    return svg`<rect class=${name} x=${percent(from)} y="23" width=${percent(width)} height="6"/>`;
  }

  #renderPause(pause: TimeRange): SVGTemplateResult {
    const x = [pause.from, pause.to].map((timeMs) => percent(this.#scale.toPlace(timeMs)));
    return svg`${this.#renderRange(pause, "gap")}<line class="broken" x1=${x[0]!} x2=${x[1]!} y1="26" y2="26"/>`;
  }

  #renderLegend(): TemplateResult | typeof nothing {
    const kinds = new Set<ActivityKind>(this.items.map(({ kind }) => (kind === "form" ? "custom" : kind)));
    const entries: [SVGTemplateResult, string][] = LEGEND.filter(([kind]) => kinds.has(kind)).map(([kind, name]) => [
      svg`<rect class="mark ${kind}" x="5" y="0" width="3" height="10" rx="1.5"/>`,
      name,
    ]);
    if (this.gaps.length > 0)
      entries.push([svg`<path class="hatch" d="m1 8 6-6M5 10l7-7M10 10l4-4" fill="none"/>`, "Idle"]);
    if (this.pauses.length > 0) entries.push([svg`<line class="broken" x2="14" y1="5" y2="5"/>`, "Not recorded"]);
    if (entries.length < 2) return nothing;
    return html`<ul class="legend" aria-label="Marks of the timeline">
      ${entries.map(
        ([drawing, name]) =>
          html`<li>
            <svg viewBox="0 0 14 10" aria-hidden="true">${drawing}</svg>
            ${name}
          </li>`,
      )}
    </ul>`;
  }

  override render(): TemplateResult {
    const seconds = Math.round(this.durationMs / 1000);
    return html`
      <div
        class="slider"
        role="slider"
        tabindex=${this.disabled ? -1 : 0}
        aria-label="Position in the replay"
        aria-disabled=${this.disabled}
        aria-valuemin="0"
        aria-valuemax=${seconds}
        aria-valuenow=${Math.min(seconds, Math.round(this.timeMs / 1000))}
        aria-valuetext="${formatClock(this.timeMs)} of ${formatClock(this.durationMs)}"
        @pointerdown=${this.#onPointerDown}
        @pointermove=${this.#onPointerMove}
        @pointerup=${this.#onPointerUp}
        @pointercancel=${this.#onPointerUp}
        @pointerleave=${this.#onPointerLeave}
        @keydown=${this.#onKeyDown}
      >
        <svg aria-hidden="true">
          <pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
            <path class="hatch" d="M0 0V5" />
          </pattern>
          <rect class="track" x="0" y="23" width="100%" height="6" rx="3" />
          ${this.loaded.map((range) => this.#renderRange(range, "loaded"))}
          ${this.gaps.map((gap) => [this.#renderRange(gap, "gap"), this.#renderRange(gap, "hatched")])}
          ${this.pauses.map((pause) => this.#renderPause(pause))} ${this.#marks}
        </svg>
        <div class="played"></div>
        <div class="thumb"></div>
        ${this.#renderBubble()}
      </div>
      ${this.#renderLegend()}
    `;
  }
}

function percent(place: number): string {
  return `${(place * 100).toFixed(3)}%`;
}

customElements.define("sentiero-timeline", SentieroTimeline);

declare global {
  interface HTMLElementTagNameMap {
    "sentiero-timeline": SentieroTimeline;
  }
}
