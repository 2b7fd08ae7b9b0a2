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
import { live } from "lit/directives/live.js";
import type { DayUsage } from "../src/types.ts";
import { formatBytes, formatCount, formatDay, formatNumberOf } from "./formats.ts";
import { baseStyles } from "./shared-styles.ts";
import { niceEnd, toBars } from "./usage-scale.ts";

/** Units of the drawing: a day is this wide, and the whole is this high. */
const DAY_WIDTH = 10;
const HEIGHT = 100;
/** What is there is seen, however little it is beside the rest. */
const MIN_HEIGHT = 0.8;

/** Stored bytes by day, as bars: what was joined at the bottom, what was not above. Below stands the same as a table. */
export class SentieroUsageChart extends LitElement {
  static override styles: CSSResultGroup = [
    baseStyles,
    css`
      figure {
        margin: 0;
      }
      figcaption,
      .legend {
        display: flex;
        flex-wrap: wrap;
        gap: var(--s-1) var(--s-4);
        align-items: center;
        color: var(--s-text-2);
        font-size: var(--s-text-sm);
      }
      figcaption {
        justify-content: space-between;
      }
      .name {
        color: var(--s-text);
        font-weight: 500;
      }
      .legend span {
        display: inline-flex;
        gap: 6px;
        align-items: center;
      }
      .legend span::before {
        content: "";
        width: 10px;
        height: 10px;
        border-radius: 2px;
        background: var(--s-chart-1);
      }
      .legend .segments::before {
        background: var(--s-chart-2);
      }
      .plot {
        position: relative;
        display: grid;
        grid-template-columns: minmax(0, 1fr) auto;
        gap: 0 var(--s-2);
        margin-top: 28px;
      }
      .area {
        position: relative;
        height: 168px;
        border-radius: 4px;
        touch-action: pan-y;
      }
      .area:has(:focus-visible) {
        outline: 2px solid var(--s-focus);
        outline-offset: 3px;
      }
      svg {
        display: block;
        width: 100%;
        height: 100%;
      }
      line {
        stroke: var(--s-chart-grid);
        stroke-width: 1;
        vector-effect: non-scaling-stroke;
      }
      .day {
        fill: var(--s-text);
        opacity: 0.08;
      }
      .batches {
        fill: var(--s-chart-1);
      }
      rect.segments {
        fill: var(--s-chart-2);
      }
      input {
        position: absolute;
        inset: 0;
        width: 100%;
        height: 100%;
        margin: 0;
        opacity: 0;
        cursor: crosshair;
      }
      .ends,
      .days {
        color: var(--s-text-3);
        font-size: var(--s-text-xs);
        line-height: 1;
      }
      .ends {
        display: flex;
        flex-direction: column;
        justify-content: space-between;
        margin: -6px 0;
        text-align: end;
      }
      .days {
        display: flex;
        justify-content: space-between;
        margin-top: var(--s-2);
      }
      .value {
        position: absolute;
        bottom: calc(100% + 4px);
        z-index: 1;
        width: max-content;
        max-width: 100%;
        padding: 3px var(--s-2);
        border-radius: var(--s-radius-sm);
        background: var(--s-text);
        color: var(--s-surface);
        font-size: var(--s-text-xs);
        pointer-events: none;
      }
      details {
        margin-top: var(--s-3);
        font-size: var(--s-text-sm);
      }
      summary {
        width: max-content;
        border-radius: 4px;
        color: var(--s-text-2);
        cursor: pointer;
      }
      .scroll {
        max-height: 300px;
        margin-top: var(--s-2);
        overflow: auto;
        border: 1px solid var(--s-border);
        border-radius: var(--s-radius-sm);
      }
      table {
        width: 100%;
        border-collapse: collapse;
        white-space: nowrap;
      }
      th,
      td {
        padding: 5px var(--s-3);
        font-weight: 400;
        text-align: end;
      }
      th:first-child {
        text-align: start;
      }
      thead th {
        position: sticky;
        top: 0;
        background: var(--s-surface-2);
        color: var(--s-text-2);
        font-size: var(--s-text-xs);
        font-weight: 500;
      }
      tbody tr + tr > * {
        border-top: 1px solid var(--s-border);
      }
      @media (max-width: 760px) {
        .days .inner {
          display: none;
        }
      }
    `,
  ];

  static override properties: PropertyDeclarations = {
    days: { attribute: false },
    bars: { state: true },
    index: { state: true },
    isShown: { state: true },
  };

  declare private bars: readonly DayUsage[];
  /** The day whose values are told. */
  declare private index: number;
  declare private isShown: boolean;

  /** Days with sessions, oldest first. */
  declare days: readonly DayUsage[];

  constructor() {
    super();
    this.days = [];
    this.bars = [];
    this.index = 0;
    this.isShown = false;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("days")) return;
    const before = this.bars.length;
    this.bars = toBars(this.days, Date.now());
    if (this.bars.length !== before) this.index = Math.max(0, this.bars.length - 1);
  }

  #onPointer(event: PointerEvent): void {
    const { left, width } = (event.currentTarget as Element).getBoundingClientRect();
    const place = Math.floor(((event.clientX - left) / width) * this.bars.length);
    this.index = Math.min(Math.max(place, 0), this.bars.length - 1);
    this.isShown = true;
  }

  #onLeave(): void {
    this.isShown = this.renderRoot.querySelector("input:focus-visible") !== null;
  }

  #onInput(event: InputEvent): void {
    // Pressing the pointer would round to the nearest day, which is another than the one under it.
    if (!this.renderRoot.querySelector("input:active")) this.index = (event.target as HTMLInputElement).valueAsNumber;
    this.isShown = true;
  }

  #onFocus(): void {
    this.isShown = true;
  }

  #onBlur(): void {
    this.isShown = false;
  }

  #renderBar(usage: DayUsage, index: number, end: number): SVGTemplateResult {
    const x = index * DAY_WIDTH + 1;
    const width = DAY_WIDTH - 2;
    const [below, above] = [usage.segmentBytes, usage.batchBytes].map((bytes) => heightOf(bytes, end)) as [
      number,
      number,
    ];
    return svg`<rect class="segments" x=${x} y=${HEIGHT - below} width=${width} height=${below}></rect>
      <rect class="batches" x=${x} y=${HEIGHT - below - above} width=${width} height=${above}></rect>`;
  }

  #renderPlot(): TemplateResult {
    const { bars, index } = this;
    const end = niceEnd(Math.max(...bars.map(totalOf)));
    const width = bars.length * DAY_WIDTH;
    const chosen = bars[index];
    const place = `${((index + 0.5) / bars.length) * 100}%`;
    const named = [0, 0.25, 0.5, 0.75, 1].map((part) => bars[Math.round(part * (bars.length - 1))]!);
    return html`<div class="plot">
      <div class="area">
        <svg viewBox="0 0 ${width} ${HEIGHT}" preserveAspectRatio="none" aria-hidden="true">
          ${[0, 0.5, 1].map((part) => svg`<line x1="0" x2=${width} y1=${part * HEIGHT} y2=${part * HEIGHT}></line>`)}
          ${
            this.isShown
              ? svg`<rect class="day" x=${index * DAY_WIDTH} y="0" width=${DAY_WIDTH} height=${HEIGHT}></rect>`
              : nothing
          }
          ${bars.map((usage, at) => this.#renderBar(usage, at, end))}
        </svg>
        <input
          type="range"
          min="0"
          max=${bars.length - 1}
          step="1"
          aria-label="Stored bytes by day"
          aria-valuetext=${chosen ? wordsOf(chosen) : nothing}
          .value=${live(String(index))}
          @input=${this.#onInput}
          @focus=${this.#onFocus}
          @blur=${this.#onBlur}
          @pointermove=${this.#onPointer}
          @pointerdown=${this.#onPointer}
          @pointerleave=${this.#onLeave}
        />
        ${
          this.isShown && chosen
            ? html`<div class="value" .style=${`left: ${place}; transform: translateX(-${place})`} aria-hidden="true">
                ${wordsOf(chosen)}
              </div>`
            : nothing
        }
      </div>
      <div class="ends" aria-hidden="true">
        ${[end, end / 2, 0].map((bytes) => html`<span>${formatBytes(bytes).replace(".0 ", " ")}</span>`)}
      </div>
      <div class="days" aria-hidden="true">
        ${named.map(({ day }, at) => html`<span class=${at % 2 === 1 ? "inner" : ""}>${dayName(day)}</span>`)}
      </div>
    </div>`;
  }

  #renderTable(): TemplateResult {
    return html`<details>
      <summary>Show as a table</summary>
      <div class="scroll" tabindex="0" role="region" aria-label="Stored bytes by day, as a table">
        <table>
          <thead>
            <tr>
              <th scope="col">Day (UTC)</th>
              <th scope="col">Sessions</th>
              <th scope="col">Events</th>
              <th scope="col">Batches</th>
              <th scope="col">Segments</th>
              <th scope="col">Arrived</th>
            </tr>
          </thead>
          <tbody>
            ${[...this.days].reverse().map(
              (usage) =>
                html`<tr>
                  <th scope="row">${dayName(usage.day)}</th>
                  <td>${formatCount(usage.sessions)}</td>
                  <td>${formatCount(usage.events)}</td>
                  <td>${formatBytes(usage.batchBytes)}</td>
                  <td>${formatBytes(usage.segmentBytes)}</td>
                  <td>${formatBytes(usage.receivedBytes)}</td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
    </details>`;
  }

  override render(): TemplateResult | typeof nothing {
    if (this.bars.length === 0) return nothing;
    return html`<figure>
      <figcaption>
        <span class="name">Stored bytes by day of the first upload</span>
        <span class="legend">
          <span class="batches">Batches, not joined yet</span>
          <span class="segments">Segments, joined</span>
        </span>
      </figcaption>
      ${this.#renderPlot()} ${this.#renderTable()}
    </figure>`;
  }
}

function totalOf({ batchBytes, segmentBytes }: DayUsage): number {
  return batchBytes + segmentBytes;
}

function heightOf(bytes: number, end: number): number {
  return bytes > 0 ? Math.max(MIN_HEIGHT, (bytes / end) * HEIGHT) : 0;
}

function dayName(day: string): string {
  return formatDay(Date.parse(day));
}

function wordsOf(usage: DayUsage): string {
  const parts = [formatNumberOf(usage.sessions, "session")];
  if (usage.batchBytes > 0) parts.push(`${formatBytes(usage.batchBytes)} in batches`);
  if (usage.segmentBytes > 0) parts.push(`${formatBytes(usage.segmentBytes)} in segments`);
  if (totalOf(usage) === 0) parts.push("nothing stored");
  return `${dayName(usage.day)}: ${parts.join(", ")}`;
}

customElements.define("sentiero-usage-chart", SentieroUsageChart);

declare global {
  interface HTMLElementTagNameMap {
    "sentiero-usage-chart": SentieroUsageChart;
  }
}
