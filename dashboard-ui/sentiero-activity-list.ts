import {
  LitElement,
  css,
  html,
  nothing,
  type CSSResultGroup,
  type PropertyDeclarations,
  type PropertyValues,
  type TemplateResult,
} from "lit";
import type { ActivityItem, TimeRange } from "./activity.ts";
import { formatClock, formatDuration } from "./formats.ts";
import { icon } from "./icons.ts";
import { baseStyles } from "./shared-styles.ts";
import type { SeekDetail } from "./sentiero-timeline.ts";

/** The viewer who scrolls the list has it for this long before it follows the replay again. */
const HANDS_OFF_MS = 4000;

/**
 * What a person did, row by row, following the replay.
 *
 * @fires sentiero-seek - `SeekDetail`, when a row is chosen
 */
export class SentieroActivityList extends LitElement {
  static override styles: CSSResultGroup = [
    baseStyles,
    css`
      :host {
        display: flex;
        flex-direction: column;
        min-height: 0;
        overflow: hidden;
        border: 1px solid var(--s-border);
        border-radius: var(--s-radius);
        background: var(--s-surface);
      }
      header {
        display: flex;
        align-items: baseline;
        justify-content: space-between;
        padding: 10px var(--s-4);
        border-bottom: 1px solid var(--s-border);
      }
      h2 {
        font-size: var(--s-text-md);
        font-weight: 600;
      }
      header span {
        color: var(--s-text-3);
        font-size: var(--s-text-xs);
      }
      .rows {
        position: relative;
        flex: 1;
        min-height: 0;
        overflow-y: auto;
        overscroll-behavior: contain;
        padding: var(--s-2) 0;
      }
      li {
        content-visibility: auto;
        contain-intrinsic-size: auto 34px;
      }
      button {
        position: relative;
        display: grid;
        grid-template-columns: 44px 16px minmax(0, 1fr);
        gap: 0 10px;
        align-items: start;
        width: 100%;
        padding: 7px var(--s-4) 7px var(--s-2);
        border: 0;
        background: none;
        color: inherit;
        font: inherit;
        font-size: var(--s-text-sm);
        line-height: 20px;
        text-align: start;
        cursor: pointer;
      }
      button:hover {
        background: var(--s-surface-hover);
      }
      button:focus-visible {
        outline-offset: -2px;
      }
      button[aria-current] {
        background: var(--s-accent-soft);
      }
      button[aria-current]::before {
        content: "";
        position: absolute;
        inset: 0 auto 0 0;
        width: 3px;
        background: var(--s-accent);
      }
      time {
        color: var(--s-text-3);
        text-align: end;
      }
      .icon {
        margin-top: 2px;
        color: var(--s-kind-quiet);
      }
      .page .icon {
        color: var(--s-kind-page);
      }
      .click .icon {
        color: var(--s-kind-click);
      }
      .input .icon {
        color: var(--s-kind-input);
      }
      .custom .icon {
        color: var(--s-kind-custom);
      }
      .error .icon,
      .error .label {
        color: var(--s-kind-error);
      }
      .text {
        overflow-wrap: anywhere;
        display: -webkit-box;
        overflow: hidden;
        -webkit-box-orient: vertical;
        -webkit-line-clamp: 2;
      }
      .label {
        color: var(--s-text-2);
      }
      .page .detail,
      .custom .label,
      .error .label {
        font-weight: 500;
      }
      .idle {
        display: flex;
        align-items: center;
        gap: var(--s-2);
        padding: 4px var(--s-4);
        color: var(--s-text-3);
        font-size: var(--s-text-xs);
      }
      .idle::before,
      .idle::after {
        content: "";
        flex: 1;
        border-top: 1px dashed var(--s-border-strong);
      }
      .none {
        padding: var(--s-8) var(--s-4);
        color: var(--s-text-3);
        font-size: var(--s-text-sm);
        text-align: center;
      }
      @media print {
        :host,
        .rows {
          overflow: visible;
        }
        li {
          content-visibility: visible;
        }
      }
    `,
  ];

  static override properties: PropertyDeclarations = {
    items: { attribute: false },
    gaps: { attribute: false },
    startAt: { type: Number },
    timeMs: { type: Number },
    isLoading: { type: Boolean },
  };

  /** In order of time. */
  declare items: readonly ActivityItem[];
  /** Idle time, in ms of the replay. */
  declare gaps: readonly TimeRange[];
  /** Epoch ms of the replay's begin. */
  declare startAt: number;
  /** Where the replay stands. */
  declare timeMs: number;
  /** Whether more may come. */
  declare isLoading: boolean;

  #current = -1;
  /** Idle time by the row that ends it. */
  #gapBefore = new Map<number, TimeRange>();
  #handsOffUntil = 0;

  constructor() {
    super();
    this.items = [];
    this.gaps = [];
    this.startAt = 0;
    this.timeMs = 0;
    this.isLoading = false;
  }

  // The time changes many times a second; thousands of rows are not drawn anew for it.
  protected override shouldUpdate(changed: PropertyValues<this>): boolean {
    if (!this.hasUpdated || changed.size > 1 || !changed.has("timeMs")) return true;
    this.#follow();
    return false;
  }

  protected override willUpdate(): void {
    this.#gapBefore = new Map();
    let index = 0;
    for (const gap of this.gaps) {
      while (index < this.items.length && this.items[index]!.at - this.startAt < gap.to - 1) index++;
      if (index < this.items.length) this.#gapBefore.set(index, gap);
    }
  }

  protected override updated(): void {
    this.#current = -1;
    this.#follow();
  }

  #follow(): void {
    const current = this.#indexAt(this.startAt + this.timeMs);
    if (current === this.#current) return;
    this.#current = current;
    const rows = this.renderRoot.querySelectorAll("button");
    for (const row of this.renderRoot.querySelectorAll("[aria-current]")) row.removeAttribute("aria-current");
    for (const row of this.renderRoot.querySelectorAll<HTMLElement>("button[tabindex='0']")) row.tabIndex = -1;
    const row = rows[current];
    (row ?? rows[0])?.setAttribute("tabindex", "0");
    if (!row) return;
    row.setAttribute("aria-current", "true");
    const box = this.renderRoot.querySelector(".rows");
    if (!box || performance.now() < this.#handsOffUntil) return;
    // scrollIntoView would move the whole page along.
    const offset = row.getBoundingClientRect().top - box.getBoundingClientRect().top;
    if (offset < 0 || offset > box.clientHeight - 60) box.scrollTop += offset - box.clientHeight / 3;
  }

  /** The last row that has begun by `at`, or -1. */
  #indexAt(at: number): number {
    let low = 0;
    let high = this.items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.items[middle]!.at <= at + 1) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  #onScrollByHand(): void {
    this.#handsOffUntil = performance.now() + HANDS_OFF_MS;
  }

  #onClick(event: Event): void {
    const row = (event.target as Element).closest("button");
    const item = row && this.items[Number(row.dataset.index)];
    if (!item) return;
    const detail: SeekDetail = { timeMs: Math.max(0, item.at - this.startAt), isDragging: false };
    this.dispatchEvent(new CustomEvent<SeekDetail>("sentiero-seek", { detail, bubbles: true, composed: true }));
  }

  #onKeyDown(event: KeyboardEvent): void {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    const row = (event.target as Element).closest("button");
    if (step === 0 || !row) return;
    event.preventDefault();
    this.#onScrollByHand();
    const next = this.renderRoot.querySelectorAll("button")[Number(row.dataset.index) + step];
    if (!next) return;
    row.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }

  #renderRow(item: ActivityItem, index: number): TemplateResult {
    const timeMs = item.at - this.startAt;
    const gap = this.#gapBefore.get(index);
    return html`${gap ? html`<li class="idle">idle for ${formatDuration(gap.to - gap.from)}</li>` : nothing}
      <li class=${item.kind}>
        <button type="button" data-index=${index} tabindex="-1" title=${item.more || nothing}>
          <time>${formatClock(timeMs)}</time>
          ${icon(item.kind)}
          <span class="text"
            ><span class="label recorded">${item.label}</span>${
              item.detail ? html` <span class="detail recorded">${item.detail}</span>` : nothing
            }</span
          >
        </button>
      </li>`;
  }

  override render(): TemplateResult {
    return html`
      <header>
        <h2>Activity</h2>
        ${this.items.length > 0 ? html`<span>${this.items.length.toLocaleString("en")}</span>` : nothing}
      </header>
      <div
        class="rows"
        @wheel=${this.#onScrollByHand}
        @touchmove=${this.#onScrollByHand}
        @pointerdown=${this.#onScrollByHand}
        @click=${this.#onClick}
        @keydown=${this.#onKeyDown}
      >
        ${
          this.items.length > 0
            ? html`<ol>
                ${this.items.map((item, index) => this.#renderRow(item, index))}
              </ol>`
            : html`<p class="none">${this.isLoading ? "Reading the recording…" : "Nothing was done in this tab."}</p>`
        }
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
