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
import type { Job } from "../src/types.ts";
import { ApiError, errorText } from "./api.ts";
import { formatCount } from "./formats.ts";
import { icon, type IconName } from "./icons.ts";
import { cancelJob } from "./maintenance-api.ts";
import { doneOf, jobProgress, selectionWords } from "./maintenance-words.ts";
import { baseStyles, buttonStyles, surfaceStyles } from "./shared-styles.ts";

/** Progress is read out at every quarter; more often it would never be quiet. */
const STEPS = 4;

/** Fired with the job as it is now. */
export type JobEvent = CustomEvent<Job>;

/**
 * A job that runs, and how it ended.
 *
 * @fires sentiero-job - `Job`, when it was cancelled
 * @fires sentiero-dismiss - when its end was seen
 */
export class SentieroJobProgress extends LitElement {
  static override styles: CSSResultGroup = [
    baseStyles,
    buttonStyles,
    surfaceStyles,
    css`
      /* There, but no row of the page's grid. */
      :host([empty]) {
        position: absolute;
      }
      .card {
        display: grid;
        grid-template-columns: auto minmax(0, 1fr) auto;
        gap: var(--s-2) var(--s-3);
        align-items: center;
        padding: var(--s-4) var(--s-5);
      }
      .card > .icon {
        color: var(--s-text-3);
      }
      .done > .icon {
        color: var(--s-success);
      }
      .failed {
        border-color: var(--s-danger);
      }
      .failed > .icon {
        color: var(--s-danger);
      }
      .words {
        min-width: 0;
        font-size: var(--s-text-md);
        overflow-wrap: anywhere;
      }
      .words .main {
        font-weight: 500;
      }
      .faint {
        color: var(--s-text-3);
        font-size: var(--s-text-sm);
      }
      .track {
        grid-column: 1 / 4;
        height: 6px;
        overflow: hidden;
        border-radius: 3px;
        background: var(--s-surface-2);
      }
      .bar {
        height: 100%;
        border-radius: 3px;
        background: var(--s-accent);
        transition: width 400ms linear;
      }
      .bar.unknown {
        width: 25%;
        animation: pass 1.6s ease-in-out infinite alternate;
      }
      @keyframes pass {
        to {
          margin-left: 75%;
        }
      }
      @media (max-width: 480px) {
        .card {
          padding: var(--s-3) var(--s-4);
        }
      }
    `,
  ];

  static override properties: PropertyDeclarations = {
    job: { attribute: false },
    problem: { type: String },
    isCancelling: { state: true },
    cancelProblem: { state: true },
    said: { state: true },
  };

  declare private isCancelling: boolean;
  declare private cancelProblem: string;
  /** What a screen reader was told last. */
  declare private said: string;

  declare job: Job | null;
  /** Why nothing newer is known, or nothing. */
  declare problem: string;

  #step: string | null = null;

  constructor() {
    super();
    this.job = null;
    this.problem = "";
    this.isCancelling = false;
    this.cancelProblem = "";
    this.said = "";
  }

  /** Brings the job into view, for the eye and for the screen reader. */
  override focus(): void {
    this.renderRoot.querySelector("section")?.focus();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    const { job } = this;
    if (!changed.has("job") || !job) return;
    if (changed.get("job")?.id !== job.id || job.state !== "running") {
      this.isCancelling = false;
      this.cancelProblem = "";
    }
    const step = `${job.id} ${job.state} ${Math.floor((partOf(job) ?? 0) * STEPS)}`;
    if (step === this.#step) return;
    this.#step = step;
    this.said = jobProgress(job);
  }

  protected override updated(): void {
    this.toggleAttribute("empty", !this.job);
  }

  async #onCancel(): Promise<void> {
    const { job } = this;
    if (!job || this.isCancelling) return;
    this.isCancelling = true;
    this.cancelProblem = "";
    try {
      this.dispatchEvent(new CustomEvent<Job>("sentiero-job", { detail: await cancelJob(job.id) }));
    } catch (error) {
      // It ended by itself before it could be cancelled; the next poll says so.
      if (error instanceof ApiError && error.status === 404) return;
      this.isCancelling = false;
      this.cancelProblem = errorText(error);
    }
  }

  #onDismiss(): void {
    this.dispatchEvent(new CustomEvent("sentiero-dismiss"));
  }

  #renderBar(job: Job): TemplateResult {
    const part = partOf(job);
    return html`<div
      class="track"
      role="progressbar"
      aria-label="Progress"
      aria-valuemin=${part === null ? nothing : 0}
      aria-valuemax=${part === null ? nothing : job.total}
      aria-valuenow=${part === null ? nothing : doneOf(job)}
      aria-valuetext=${part === null ? nothing : `${formatCount(doneOf(job))} of ${formatCount(job.total ?? 0)}`}
    >
      ${
        part === null
          ? html`<div class="bar unknown"></div>`
          : html`<div class="bar" .style=${`width: ${part * 100}%`}></div>`
      }
    </div>`;
  }

  override render(): TemplateResult {
    const { job } = this;
    // The region is there before anything is said in it, or it would not be read out.
    return html`<p class="only-read" role="status">${this.said}</p>
      ${job ? this.#renderJob(job) : nothing}`;
  }

  #renderJob(job: Job): TemplateResult {
    const isRunning = job.state === "running";
    const about = isRunning && job.selection ? selectionWords(job.selection) : "";
    const problem = this.cancelProblem || (isRunning ? this.problem : "");
    return html`<section class="card ${job.state}" aria-label="Job" tabindex="-1">
      ${icon(icons[job.state] ?? "info")}
      <div class="words">
        <p class="main">${jobProgress(job)}</p>
        ${about ? html`<p class="faint recorded">${about}</p>` : nothing}
        ${
          isRunning
            ? html`<p class="faint">It goes on when you leave this page, and after a restart of the server.</p>`
            : nothing
        }
        ${problem ? html`<p class="faint" role="alert">${problem}</p>` : nothing}
      </div>
      ${
        isRunning
          ? html`<button class="button" type="button" ?disabled=${this.isCancelling} @click=${this.#onCancel}>
              ${this.isCancelling ? "Cancelling…" : "Cancel"}
            </button>`
          : html`<button class="button plain" type="button" @click=${this.#onDismiss}>Dismiss</button>`
      }
      ${isRunning ? this.#renderBar(job) : nothing}
    </section>`;
  }
}

const icons: Record<Job["state"], IconName> = { running: "replay", done: "check", failed: "error", cancelled: "info" };

/** How much of a job is done, from 0 to 1; null where nobody knows. */
function partOf(job: Job): number | null {
  return job.total === null || job.total <= 0 ? null : Math.min(1, doneOf(job) / job.total);
}

customElements.define("sentiero-job-progress", SentieroJobProgress);

declare global {
  interface HTMLElementTagNameMap {
    "sentiero-job-progress": SentieroJobProgress;
  }
}
