import {
  LitElement,
  css,
  html,
  nothing,
  type CSSResultGroup,
  type PropertyDeclarations,
  type TemplateResult,
} from "lit";
import type { MaintenanceAnswer } from "../src/types.ts";
import { code } from "./code-text.ts";
import { formatAgo, formatBytes, formatCount, formatDuration, formatNumberOf } from "./formats.ts";
import { icon } from "./icons.ts";
import { sectionStyles } from "./maintenance-styles.ts";
import { storeWords } from "./maintenance-words.ts";
import "./sentiero-usage-chart.ts";
import { baseStyles, surfaceStyles } from "./shared-styles.ts";

const DAY_MS = 86_400_000;

/** What the store is, what it holds, and how much may come in today. */
export class SentieroStorage extends LitElement {
  static override styles: CSSResultGroup = [
    baseStyles,
    surfaceStyles,
    sectionStyles,
    css`
      .section {
        gap: var(--s-5);
      }
      .text {
        margin-top: var(--s-1);
      }
      dl {
        display: grid;
        grid-template-columns: repeat(3, auto) minmax(240px, 1fr);
        gap: var(--s-4) var(--s-12);
      }
      dt {
        color: var(--s-text-3);
        font-size: var(--s-text-sm);
      }
      dd {
        font-size: var(--s-text-xl);
        font-weight: 600;
        line-height: 1.35;
        letter-spacing: -0.01em;
      }
      .of {
        color: var(--s-text-3);
        font-size: var(--s-text-sm);
        font-weight: 400;
        letter-spacing: 0;
      }
      .meter {
        height: 6px;
        margin-top: var(--s-1);
        overflow: hidden;
        border-radius: 3px;
        background: var(--s-surface-2);
      }
      .fill {
        height: 100%;
        border-radius: 3px;
        background: var(--s-accent);
      }
      .fill.near {
        background: var(--s-warning);
      }
      .fill.full {
        background: var(--s-danger);
      }
      @media (max-width: 760px) {
        dl {
          grid-template-columns: repeat(3, auto);
          gap: var(--s-4);
          justify-content: space-between;
        }
        .today {
          grid-column: 1 / -1;
        }
      }
    `,
  ];

  static override properties: PropertyDeclarations = {
    answer: { attribute: false },
    now: { type: Number },
  };

  declare answer: MaintenanceAnswer | null;
  /** Epoch ms. */
  declare now: number;

  constructor() {
    super();
    this.answer = null;
    this.now = Date.now();
  }

  #renderToday({ maxBytesPerDay, receivedToday, isReached }: MaintenanceAnswer["limits"]): TemplateResult {
    const part = maxBytesPerDay > 0 ? Math.min(1, receivedToday / maxBytesPerDay) : 0;
    const level = isReached ? "full" : part >= 0.8 ? "near" : "";
    return html`<div class="today">
      <dt>Arrived today (UTC)</dt>
      <dd>
        ${formatBytes(receivedToday)} <span class="of">of ${formatBytes(maxBytesPerDay)} a day</span>
        <div
          class="meter"
          role="meter"
          aria-label="Arrived today, of what may arrive in a day"
          aria-valuemin="0"
          aria-valuemax="100"
          aria-valuenow=${Math.round(part * 100)}
          aria-valuetext="${formatBytes(receivedToday)} of ${formatBytes(maxBytesPerDay)}"
        >
          <div class="fill ${level}" .style=${`width: ${part * 100}%`}></div>
        </div>
      </dd>
    </div>`;
  }

  #renderReached({ maxBytesPerDay, receivedToday }: MaintenanceAnswer["limits"]): TemplateResult {
    const left = DAY_MS - (this.now % DAY_MS);
    return html`<div class="notice danger" role="note">
      ${icon("warning")}
      <p>
        <strong>Recording stopped for today:</strong> ${formatBytes(receivedToday)} arrived since midnight UTC, and the
        limit is ${formatBytes(maxBytesPerDay)} a day. It goes on at 00:00 UTC, in ${formatDuration(left)}. To let more
        in, set ${code("limits.maxBytesPerDay")}
      </p>
    </div>`;
  }

  override render(): TemplateResult | typeof nothing {
    const { answer } = this;
    if (!answer) return nothing;
    const { store, usage, limits, settling } = answer;
    const { total } = usage;
    return html`<section class="card section" aria-labelledby="title">
      <div>
        <h2 id="title">Storage: ${store.name}</h2>
        <p class="text">${storeWords(store)}</p>
      </div>
      ${limits.isReached ? this.#renderReached(limits) : nothing}
      <dl>
        <div>
          <dt>Sessions</dt>
          <dd>${formatCount(total.sessions)}</dd>
        </div>
        <div>
          <dt>Events</dt>
          <dd>${formatCount(total.events)}</dd>
        </div>
        <div>
          <dt>Stored</dt>
          <dd>${formatBytes(total.batchBytes + total.segmentBytes)}</dd>
        </div>
        ${this.#renderToday(limits)}
      </dl>
      ${
        usage.days.length > 0
          ? html`<sentiero-usage-chart .days=${usage.days}></sentiero-usage-chart>`
          : html`<p class="text">Nothing is recorded yet.</p>`
      }
      ${
        settling.lastRunAt === null
          ? nothing
          : html`<p class="quiet">
              So far ${formatNumberOf(settling.settledSessions, "finished session")} were joined into segments, which
              take up less. Last run ${formatAgo(settling.lastRunAt, this.now)}.
            </p>`
      }
    </section>`;
  }
}

customElements.define("sentiero-storage", SentieroStorage);

declare global {
  interface HTMLElementTagNameMap {
    "sentiero-storage": SentieroStorage;
  }
}
