import {
  LitElement,
  css,
  html,
  nothing,
  type CSSResultGroup,
  type PropertyDeclarations,
  type TemplateResult,
} from "lit";
import type { Job, MaintenanceAnswer } from "../src/types.ts";
import { ApiError, errorText, isAbort } from "./api.ts";
import { icon } from "./icons.ts";
import { isTyping } from "./keys.ts";
import { fetchJob, fetchMaintenance } from "./maintenance-api.ts";
import "./sentiero-doctor.ts";
import "./sentiero-erase.ts";
import "./sentiero-job-list.ts";
import "./sentiero-job-progress.ts";
import type { JobEvent } from "./sentiero-job-progress.ts";
import "./sentiero-notices.ts";
import "./sentiero-purge.ts";
import "./sentiero-retention.ts";
import "./sentiero-storage.ts";
import { baseStyles, buttonStyles, centerStyles, surfaceStyles } from "./shared-styles.ts";

/** How often a running job is asked for; a server that does not answer is asked less and less. */
const POLL_MS = 1000;
const MAX_POLL_MS = 15_000;

/** What is kept and for how long; removing by age and by person; what is wrong. */
export class SentieroMaintenancePage extends LitElement {
  static override styles: CSSResultGroup = [
    baseStyles,
    buttonStyles,
    surfaceStyles,
    centerStyles,
    css`
      :host {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: var(--s-4);
        max-width: 1264px;
        padding: var(--s-6) var(--s-6) var(--s-12);
      }
      header {
        display: flex;
        gap: var(--s-4);
        align-items: center;
        justify-content: space-between;
        min-height: 40px;
      }
      h1 {
        font-size: var(--s-text-xl);
        font-weight: 600;
        letter-spacing: -0.01em;
      }
      .two {
        display: grid;
        grid-template-columns: repeat(2, minmax(0, 1fr));
        gap: var(--s-4);
      }
      .jobs h2 {
        padding: var(--s-5) var(--s-5) var(--s-2);
        font-size: var(--s-text-lg);
        font-weight: 600;
        line-height: 1.25;
      }
      .bone {
        height: 200px;
        border-radius: var(--s-radius);
      }
      .bone.tall {
        height: 420px;
      }
      @media (max-width: 1000px) {
        .two {
          grid-template-columns: minmax(0, 1fr);
        }
      }
      @media (max-width: 760px) {
        :host {
          padding: var(--s-4) var(--s-4) var(--s-8);
        }
        .jobs h2 {
          padding: var(--s-4) var(--s-4) var(--s-2);
        }
      }
    `,
  ];

  static override properties: PropertyDeclarations = {
    answer: { state: true },
    error: { state: true },
    job: { state: true },
    pollProblem: { state: true },
    now: { state: true },
  };

  declare private answer: MaintenanceAnswer | null;
  declare private error: unknown;
  /** The job that runs, or ran while this page was looked at. */
  declare private job: Job | null;
  declare private pollProblem: string;
  declare private now: number;

  #abort: AbortController | null = null;
  #timer = 0;
  #failures = 0;

  constructor() {
    super();
    this.answer = null;
    this.error = null;
    this.job = null;
    this.pollProblem = "";
    this.now = Date.now();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener("keydown", this.#onPageKey);
    document.addEventListener("visibilitychange", this.#onVisibility);
    void this.#load();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("keydown", this.#onPageKey);
    document.removeEventListener("visibilitychange", this.#onVisibility);
    clearTimeout(this.#timer);
    this.#abort?.abort();
  }

  async #load(): Promise<void> {
    this.#abort?.abort();
    const { signal } = (this.#abort = new AbortController());
    clearTimeout(this.#timer);
    this.error = null;
    try {
      const answer = await fetchMaintenance(signal);
      if (signal.aborted) return;
      this.answer = answer;
      this.now = Date.now();
      const { job } = this;
      const running = answer.jobs.find(({ state }) => state === "running");
      this.#show(running ?? answer.jobs.find(({ id }) => id === job?.id) ?? job);
    } catch (error) {
      if (isAbort(error) || signal.aborted) return;
      this.error = error;
      this.#poll(1);
    }
  }

  /** Takes in what is known of a job, and asks for more while it runs. */
  #show(job: Job | null): void {
    this.job = job;
    this.pollProblem = "";
    this.#failures = 0;
    this.#poll(0);
  }

  #poll(failures: number): void {
    clearTimeout(this.#timer);
    this.#failures += failures;
    if (this.job?.state !== "running" || document.visibilityState !== "visible") return;
    const delay = Math.min(POLL_MS * 2 ** this.#failures, MAX_POLL_MS);
    this.#timer = window.setTimeout(() => void this.#ask(), delay);
  }

  async #ask(): Promise<void> {
    const { job } = this;
    if (!job) return;
    this.#abort?.abort();
    const { signal } = (this.#abort = new AbortController());
    try {
      const next = await fetchJob(job.id, signal);
      if (signal.aborted) return;
      this.#show(next);
      if (next.state !== "running") this.#onEnd();
    } catch (error) {
      if (isAbort(error) || signal.aborted) return;
      if (error instanceof ApiError && error.status === 404) {
        this.job = null;
        await this.#load();
        return;
      }
      this.pollProblem = "The server does not say how far it is; it is asked again.";
      this.#poll(1);
    }
  }

  /** What was counted before is not there any more. */
  #onEnd(): void {
    this.renderRoot.querySelector("sentiero-purge")?.refresh();
    this.renderRoot.querySelector("sentiero-erase")?.refresh();
    void this.#load();
  }

  #onJob(event: JobEvent): void {
    const job = event.detail;
    this.#show(job);
    if (job.state !== "running") this.#onEnd();
    // Far down on the page, the button that began it is off now. The dialog gives focus back before this.
    window.setTimeout(() => this.renderRoot.querySelector("sentiero-job-progress")?.focus());
  }

  #onDismiss(): void {
    this.job = null;
    this.renderRoot.querySelector<HTMLElement>("h1")?.focus();
  }

  #onRefresh(): void {
    void this.#load();
  }

  #onVisibility = (): void => {
    if (document.visibilityState === "visible") void this.#load();
    else clearTimeout(this.#timer);
  };

  #onPageKey = (event: KeyboardEvent): void => {
    if (event.key === "r" && !isTyping(event)) this.#onRefresh();
  };

  #renderProblem(): TemplateResult {
    return html`<div class="notice danger" role="alert">
      ${icon("warning")}
      <p>${errorText(this.error)} What you see may be out of date.</p>
    </div>`;
  }

  #renderContent(): TemplateResult {
    const { answer, job, now } = this;
    if (!answer) {
      return this.error
        ? html`<div class="card center" role="alert">
            ${icon("warning")}
            <p>${errorText(this.error)}</p>
            <button class="button" type="button" @click=${this.#onRefresh}>Try again</button>
          </div>`
        : html`<div class="bone tall" aria-busy="true"></div>
            <div class="two">
              <div class="bone"></div>
              <div class="bone"></div>
            </div>`;
    }
    const isBusy = job?.state === "running";
    const jobs = job ? [job, ...answer.jobs.filter(({ id }) => id !== job.id)] : answer.jobs;
    return html`
      ${answer.notices.length > 0 ? html`<sentiero-notices .notices=${answer.notices}></sentiero-notices>` : nothing}
      <sentiero-storage .answer=${answer} .now=${now}></sentiero-storage>
      <div class="two">
        <sentiero-retention
          .retention=${answer.retention}
          .now=${now}
          ?busy=${isBusy}
          @sentiero-job=${this.#onJob}
        ></sentiero-retention>
        <sentiero-doctor ?busy=${isBusy} @sentiero-job=${this.#onJob}></sentiero-doctor>
      </div>
      <div class="two">
        <sentiero-purge ?busy=${isBusy} @sentiero-job=${this.#onJob}></sentiero-purge>
        <sentiero-erase ?busy=${isBusy} @sentiero-job=${this.#onJob}></sentiero-erase>
      </div>
      <section class="card jobs" aria-labelledby="jobs">
        <h2 id="jobs">Recent jobs</h2>
        <sentiero-job-list .jobs=${jobs.toSorted((a, b) => b.startedAt - a.startedAt)} .now=${now}></sentiero-job-list>
      </section>
    `;
  }

  override render(): TemplateResult {
    return html`
      <header>
        <h1 tabindex="-1">Maintenance</h1>
        <button class="button" type="button" title="Look again (r)" @click=${this.#onRefresh}>
          ${icon("replay")}Refresh
        </button>
      </header>
      <sentiero-job-progress
        .job=${this.job}
        .problem=${this.pollProblem}
        @sentiero-job=${this.#onJob}
        @sentiero-dismiss=${this.#onDismiss}
      ></sentiero-job-progress>
      ${this.error && this.answer ? this.#renderProblem() : nothing} ${this.#renderContent()}
    `;
  }
}

customElements.define("sentiero-maintenance-page", SentieroMaintenancePage);

declare global {
  interface HTMLElementTagNameMap {
    "sentiero-maintenance-page": SentieroMaintenancePage;
  }
}
