import {
  LitElement,
  css,
  html,
  nothing,
  type CSSResultGroup,
  type PropertyDeclarations,
  type TemplateResult,
} from "lit";
import type { Job } from "../src/types.ts";
import { formatAgo, formatDuration, formatExact, formatCount, toIso } from "./formats.ts";
import { jobName } from "./maintenance-words.ts";
import { baseStyles, surfaceStyles } from "./shared-styles.ts";

/** The newest jobs: a table on wide screens, cards on narrow ones. */
export class SentieroJobList extends LitElement {
  static override styles: CSSResultGroup = [
    baseStyles,
    surfaceStyles,
    css`
      :host {
        container-type: inline-size;
      }
      .row {
        display: grid;
        grid-template-columns: minmax(0, 1fr) minmax(0, 1fr) 100px 90px 90px 110px 90px;
        gap: 0 var(--s-3);
        align-items: center;
        min-height: 44px;
        padding: var(--s-2) var(--s-5);
        font-size: var(--s-text-sm);
      }
      .row + .row {
        border-top: 1px solid var(--s-border);
      }
      .head {
        min-height: 36px;
        border-bottom: 1px solid var(--s-border);
        color: var(--s-text-3);
        font-size: var(--s-text-xs);
        font-weight: 500;
      }
      .name {
        font-weight: 500;
      }
      .number {
        text-align: end;
      }
      .faint {
        color: var(--s-text-2);
      }
      .badge.done {
        background: var(--s-success-soft);
        color: var(--s-success);
      }
      .badge.failed {
        background: var(--s-danger-soft);
        color: var(--s-danger);
      }
      .badge.running {
        background: var(--s-info-soft);
        color: var(--s-info);
      }
      .error {
        grid-column: 1 / -1;
        padding-top: 2px;
        color: var(--s-danger);
        overflow-wrap: anywhere;
      }
      .word {
        display: none;
      }
      .none {
        padding: var(--s-5);
        color: var(--s-text-3);
        font-size: var(--s-text-md);
      }
      @container (max-width: 720px) {
        .row {
          display: flex;
          flex-wrap: wrap;
          gap: 2px var(--s-3);
          padding: var(--s-3) var(--s-4);
          color: var(--s-text-2);
        }
        .row.head {
          display: none;
        }
        .by {
          color: var(--s-text-3);
        }
        .name {
          color: var(--s-text);
        }
        .state {
          margin-left: auto;
        }
        .number {
          text-align: start;
        }
        .error {
          flex-basis: 100%;
        }
        .word {
          display: inline;
        }
      }
    `,
  ];

  static override properties: PropertyDeclarations = {
    jobs: { attribute: false },
    now: { type: Number },
  };

  /** Newest first. */
  declare jobs: readonly Job[];
  /** Epoch ms. */
  declare now: number;

  constructor() {
    super();
    this.jobs = [];
    this.now = Date.now();
  }

  #renderRow(job: Job): TemplateResult {
    const changed = job.kind === "reindex" ? "changed" : "removed";
    return html`<div class="row" role="row">
      <div class="name" role="cell">${jobName(job)}</div>
      <div class="by faint" role="cell">${job.origin === "retention" ? "Retention" : "A person"}</div>
      <div class="state" role="cell"><span class="badge ${job.state}">${states[job.state] ?? job.state}</span></div>
      <div class="number" role="cell">${formatCount(job.seen)}<span class="word"> looked at</span></div>
      <div class="number" role="cell">${formatCount(job.changed)}<span class="word"> ${changed}</span></div>
      <div class="number" role="cell">
        <time datetime=${toIso(job.startedAt)} title=${formatExact(job.startedAt)}
          >${formatAgo(job.startedAt, this.now)}</time
        >
      </div>
      <div class="number" role="cell">
        ${
          job.endedAt === null
            ? "–"
            : html`<span class="word">took </span>${formatDuration(job.endedAt - job.startedAt)}`
        }
      </div>
      ${job.error ? html`<div class="error" role="cell">${job.error}</div>` : nothing}
    </div>`;
  }

  override render(): TemplateResult {
    if (this.jobs.length === 0) return html`<p class="none">Nothing was purged, erased or reindexed yet.</p>`;
    return html`<div role="table" aria-label="Recent jobs">
      <div role="rowgroup">
        <div class="row head" role="row">
          <div role="columnheader">Job</div>
          <div role="columnheader">Begun by</div>
          <div role="columnheader">State</div>
          <div class="number" role="columnheader">Looked at</div>
          <div class="number" role="columnheader">Changed</div>
          <div class="number" role="columnheader">Started</div>
          <div class="number" role="columnheader">Took</div>
        </div>
      </div>
      <div role="rowgroup">${this.jobs.map((job) => this.#renderRow(job))}</div>
    </div>`;
  }
}

const states: Record<Job["state"], string> = {
  running: "Running",
  done: "Done",
  failed: "Failed",
  cancelled: "Cancelled",
};

customElements.define("sentiero-job-list", SentieroJobList);

declare global {
  interface HTMLElementTagNameMap {
    "sentiero-job-list": SentieroJobList;
  }
}
