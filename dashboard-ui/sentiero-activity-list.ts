import {
  LitElement,
  html,
  nothing,
  type CSSResultGroup,
  type PropertyDeclarations,
  type PropertyValues,
  type TemplateResult,
} from "lit";
import { repeat } from "lit/directives/repeat.js";
import { activityGroups, countGroups, filterActivity } from "./activity-filter.ts";
import type { ActivityItem } from "./activity-item.ts";
import { activityListStyles } from "./activity-list-styles.ts";
import { formatClock, formatCount, formatDuration } from "./formats.ts";
import { icon } from "./icons.ts";
import type { TimeRange } from "./recording-stretches.ts";
import { CHUNK_ROWS, createRowWindow, type ChunkRange } from "./row-window.ts";
import { baseStyles, buttonStyles, fieldStyles } from "./shared-styles.ts";
import type { SeekDetail } from "./sentiero-timeline.ts";

/** The viewer who scrolls the list has it for this long before it follows the replay again. */
const HANDS_OFF_MS = 4000;

/**
 * What a person did and met, row by row, following the replay. Kinds of rows can be chosen, and rows looked for.
 *
 * @fires sentiero-seek - `SeekDetail`, when a row is chosen
 */
export class SentieroActivityList extends LitElement {
  static override styles: CSSResultGroup = [baseStyles, buttonStyles, fieldStyles, activityListStyles];

  static override properties: PropertyDeclarations = {
    items: { attribute: false },
    gaps: { attribute: false },
    pauses: { attribute: false },
    startAt: { type: Number },
    timeMs: { type: Number },
    isLoading: { type: Boolean },
    chosen: { state: true },
    text: { state: true },
    opened: { state: true },
    range: { state: true },
  };

  /** Names of groups; none is all. */
  declare private chosen: ReadonlySet<string>;
  declare private text: string;
  declare private opened: ReadonlySet<ActivityItem>;
  /** What is drawn of the rows. */
  declare private range: ChunkRange;

  /** In order of time. */
  declare items: readonly ActivityItem[];
  /** Idle time, in ms of the replay. */
  declare gaps: readonly TimeRange[];
  /** Time that was not recorded, in ms of the replay; a row of its own tells of it. */
  declare pauses: readonly TimeRange[];
  /** Epoch ms of the replay's begin. */
  declare startAt: number;
  /** Where the replay stands. */
  declare timeMs: number;
  /** Whether more may come. */
  declare isLoading: boolean;

  #shown: readonly ActivityItem[] = [];
  #counts: ReadonlyMap<string, number> = new Map();
  /** Idle time by the row behind its begin. */
  #gapBefore = new Map<number, TimeRange>();
  #window = createRowWindow();
  #current = -1;
  /** The current row was not drawn yet when it was to be shown. */
  #isRevealing = false;
  #handsOffUntil = 0;

  constructor() {
    super();
    this.items = [];
    this.gaps = [];
    this.pauses = [];
    this.startAt = 0;
    this.timeMs = 0;
    this.isLoading = false;
    this.chosen = new Set();
    this.text = "";
    this.opened = new Set();
    this.range = { first: 0, last: 0 };
  }

  // The time changes many times a second; thousands of rows are not drawn anew for it.
  protected override shouldUpdate(changed: PropertyValues<this>): boolean {
    if (!this.hasUpdated || changed.size > 1 || !changed.has("timeMs")) return true;
    const current = this.#indexAt(this.startAt + this.timeMs);
    if (current !== this.#current) {
      this.#current = current;
      // Not in here, where a change of state would be lost.
      queueMicrotask(() => {
        this.#mark();
        this.#reveal();
      });
    }
    return false;
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("chosen") || changed.has("text")) this.#window.clear();
    this.#shown = filterActivity(this.items, this.chosen, this.text);
    this.#counts = countGroups(this.items);
    this.#gapBefore = this.#placeGaps();
    this.range = this.#rangeInSight();
  }

  protected override updated(changed: PropertyValues): void {
    this.#measure();
    this.#current = this.#indexAt(this.startAt + this.timeMs);
    this.#mark();
    const isOther = ["items", "startAt", "chosen", "text"].some((name) => changed.has(name));
    if (isOther || this.#isRevealing) this.#reveal();
  }

  /** Idle time by the row behind its begin. Between chosen rows time says nothing, and pauses have rows of their own. */
  #placeGaps(): Map<number, TimeRange> {
    const places = new Map<number, TimeRange>();
    if (this.#shown !== this.items) return places;
    let index = 0;
    for (const gap of this.gaps) {
      if (this.pauses.some((pause) => pause.from < gap.to && pause.to > gap.from)) continue;
      while (index < this.items.length && this.items[index]!.at - this.startAt <= gap.from + 1) index++;
      if (index < this.items.length) places.set(index, gap);
    }
    return places;
  }

  get #box(): HTMLElement | null {
    return this.renderRoot.querySelector<HTMLElement>(".rows");
  }

  #rangeInSight(): ChunkRange {
    const { scrollTop = 0, clientHeight = 0 } = this.#box ?? {};
    const range = this.#window.rangeOf(this.#shown.length, scrollTop, scrollTop + clientHeight);
    return range.first === this.range.first && range.last === this.range.last ? this.range : range;
  }

  /** Gives the room of the rows that are not drawn to what stands in their place. */
  #measure(): void {
    const chunks = this.renderRoot.querySelectorAll<HTMLElement>(".chunk");
    chunks.forEach((chunk, index) =>
      this.#window.measure(this.range.first + index, chunk.querySelectorAll(".row").length, chunk.offsetHeight),
    );
    const [before, after] = this.renderRoot.querySelectorAll<HTMLElement>(".left-out");
    if (!before || !after) return;
    const end = this.#window.startOf(Math.ceil(this.#shown.length / CHUNK_ROWS));
    before.style.height = `${this.#window.startOf(this.range.first)}px`;
    after.style.height = `${Math.max(0, end - this.#window.startOf(this.range.last + 1))}px`;
  }

  #rowAt(index: number): HTMLButtonElement | null {
    return this.renderRoot.querySelector<HTMLButtonElement>(`.row[data-index="${index}"]`);
  }

  #mark(): void {
    const row = this.#rowAt(this.#current);
    for (const one of this.renderRoot.querySelectorAll("[aria-current]")) one.removeAttribute("aria-current");
    row?.setAttribute("aria-current", "true");
    const focused = (this.renderRoot as ShadowRoot).activeElement;
    if (!focused?.closest("li")) this.#focusable(row ?? this.renderRoot.querySelector(".row"));
  }

  /** Scrolls to the current row, unless the viewer has the list. */
  #reveal(): void {
    const box = this.#box;
    this.#isRevealing = false;
    if (!box || this.#current < 0 || performance.now() < this.#handsOffUntil) return;
    const row = this.#rowAt(this.#current);
    if (!row) {
      this.#isRevealing = true;
      const chunk = Math.floor(this.#current / CHUNK_ROWS);
      box.scrollTop = this.#window.startOf(chunk);
      this.#onScroll();
      return;
    }
    // scrollIntoView would move the whole page along.
    const offset = row.getBoundingClientRect().top - box.getBoundingClientRect().top;
    if (offset < 0 || offset > box.clientHeight - 60) box.scrollTop += offset - box.clientHeight / 3;
  }

  /** Of all rows the Tab key stops at one only, and at what opens it. */
  #focusable(row: HTMLElement | null): void {
    for (const one of this.renderRoot.querySelectorAll<HTMLElement>("li [tabindex='0']")) one.tabIndex = -1;
    for (const one of row?.parentElement?.querySelectorAll("button") ?? []) one.tabIndex = 0;
  }

  /** The last row that has begun by `at`, or -1. */
  #indexAt(at: number): number {
    let low = 0;
    let high = this.#shown.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#shown[middle]!.at <= at + 1) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  #onScroll(): void {
    this.range = this.#rangeInSight();
  }

  #onScrollByHand(): void {
    this.#handsOffUntil = performance.now() + HANDS_OFF_MS;
  }

  #onClick(event: Event): void {
    const button = (event.target as Element).closest("button");
    const item = this.#shown[Number(button?.dataset.index)];
    if (!button || !item) return;
    if (button.classList.contains("open")) {
      const opened = new Set(this.opened);
      if (!opened.delete(item)) opened.add(item);
      this.opened = opened;
      return;
    }
    const detail: SeekDetail = { timeMs: Math.max(0, item.at - this.startAt), isDragging: false };
    this.dispatchEvent(new CustomEvent<SeekDetail>("sentiero-seek", { detail, bubbles: true, composed: true }));
  }

  #onKeyDown(event: KeyboardEvent): void {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    const row = (event.target as Element).closest<HTMLElement>(".row");
    if (step === 0 || !row) return;
    event.preventDefault();
    this.#onScrollByHand();
    const next = this.#rowAt(Number(row.dataset.index) + step);
    if (!next) return;
    this.#focusable(next);
    next.focus();
  }

  #onChip(event: Event): void {
    const { name } = (event.currentTarget as HTMLElement).dataset;
    const chosen = new Set(this.chosen);
    if (!chosen.delete(name!)) chosen.add(name!);
    this.chosen = chosen;
  }

  #onText(event: Event): void {
    this.text = (event.currentTarget as HTMLInputElement).value;
  }

  #onShowAll(): void {
    this.chosen = new Set();
    this.text = "";
  }

  #renderChips(): TemplateResult {
    const groups = activityGroups.filter(({ name }) => this.#counts.has(name) || this.chosen.has(name));
    return html`<div class="chips" role="group" aria-label="Kinds of activity">
      ${groups.map(
        ({ name }) =>
          html`<button
            class="chip"
            type="button"
            data-name=${name}
            aria-pressed=${this.chosen.has(name)}
            @click=${this.#onChip}
          >
            ${name} <span>${formatCount(this.#counts.get(name) ?? 0)}</span>
          </button>`,
      )}
    </div>`;
  }

  #renderHeader(): TemplateResult {
    const total = formatCount(this.items.length);
    const isWhole = this.#shown === this.items;
    return html`<header>
      <h2>Activity</h2>
      ${
        this.items.length > 0
          ? html`<span class="count" role="status"
                >${isWhole ? total : `${formatCount(this.#shown.length)} of ${total}`}</span
              >
              <input
                class="field"
                type="search"
                placeholder="Find"
                aria-label="Find in the activity"
                .value=${this.text}
                @input=${this.#onText}
              />
              ${this.#renderChips()}`
          : nothing
      }
    </header>`;
  }

  #renderRow(item: ActivityItem, index: number): TemplateResult {
    const timeMs = item.at - this.startAt;
    const gap = this.#gapBefore.get(index);
    const { badge, body } = item;
    const word = badge ? html` <span class="word recorded ${badge.tone}">${badge.text}</span>` : nothing;
    const detail = item.detail ? html` <span class="detail recorded">${item.detail}</span>` : nothing;
    const isOpen = body !== null && this.opened.has(item);
    return html`${gap ? html`<li class="idle" role="listitem">idle for ${formatDuration(gap.to - gap.from)}</li>` : nothing}
      <li class="${item.kind} ${body ? "opens" : ""}" role="listitem">
        <button class="row" type="button" data-index=${index} tabindex="-1" title=${item.more || nothing}>
          <time>${formatClock(timeMs)}</time>
          ${icon(item.kind)}
          <span class="text"
            ><span class="label recorded">${item.label}</span>${
              item.kind === "vital" ? [detail, word] : [word, detail]
            }</span
          >
        </button>
        ${
          body
            ? html`<button
                class="open"
                type="button"
                data-index=${index}
                tabindex="-1"
                aria-expanded=${isOpen}
                aria-label="Details of ${item.label}"
              >
                ${icon("next")}
              </button>`
            : nothing
        }
        ${isOpen ? html`<pre class="recorded">${body()}</pre>` : nothing}
      </li>`;
  }

  #renderChunks(): TemplateResult {
    const { first, last } = this.range;
    const chunks = Array.from({ length: last - first + 1 }, (_, index) => first + index);
    // Keyed, so that scrolling on moves what is drawn instead of writing all of it anew.
    return html`<div class="left-out"></div>
      <div role="list">
        ${repeat(
          chunks,
          (chunk) => chunk,
          (chunk) => {
            const from = chunk * CHUNK_ROWS;
            const rows = this.#shown.slice(from, from + CHUNK_ROWS);
            return html`<ul class="chunk" role="presentation">
              ${rows.map((item, index) => this.#renderRow(item, from + index))}
            </ul>`;
          },
        )}
      </div>
      <div class="left-out"></div>`;
  }

  #renderNone(): TemplateResult {
    if (this.items.length > 0)
      return html`<div class="none">
        Nothing like this was done.
        <button class="button" type="button" @click=${this.#onShowAll}>Show all</button>
      </div>`;
    return html`<p class="none">${this.isLoading ? "Reading the recording…" : "Nothing was done in this tab."}</p>`;
  }

  override render(): TemplateResult {
    return html`
      ${this.#renderHeader()}
      <div
        class="rows"
        @scroll=${this.#onScroll}
        @wheel=${this.#onScrollByHand}
        @touchmove=${this.#onScrollByHand}
        @pointerdown=${this.#onScrollByHand}
        @click=${this.#onClick}
        @keydown=${this.#onKeyDown}
      >
        ${this.#shown.length > 0 ? this.#renderChunks() : this.#renderNone()}
      </div>
    `;
  }
}

customElements.define("sentiero-activity-list", SentieroActivityList);

declare global {
  interface HTMLElementTagNameMap {
    "sentiero-activity-list": SentieroActivityList;
  }
}
