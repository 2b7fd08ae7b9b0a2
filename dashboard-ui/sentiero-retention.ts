import { LitElement, html, nothing, type CSSResultGroup, type PropertyDeclarations, type TemplateResult } from "lit";
import type { Job, MaintenanceAnswer } from "../src/types.ts";
import { errorText } from "./api.ts";
import { code } from "./code-text.ts";
import { formatAgo, formatDate, formatDuration, formatExact, formatNumberOf, toIso } from "./formats.ts";
import { icon } from "./icons.ts";
import { runRetention } from "./maintenance-api.ts";
import { sectionStyles } from "./maintenance-styles.ts";
import { baseStyles, buttonStyles, surfaceStyles } from "./shared-styles.ts";

/**
 * For how long recordings are kept.
 *
 * @fires sentiero-job - `Job`, when it was run by hand
 */
export class SentieroRetention extends LitElement {
  static override styles: CSSResultGroup = [baseStyles, buttonStyles, surfaceStyles, sectionStyles];

  static override properties: PropertyDeclarations = {
    retention: { attribute: false },
    now: { type: Number },
    isBusy: { type: Boolean, attribute: "busy" },
    isStarting: { state: true },
    problem: { state: true },
  };

  declare private isStarting: boolean;
  declare private problem: string;

  declare retention: MaintenanceAnswer["retention"] | null;
  /** Epoch ms. */
  declare now: number;
  /** A job runs already. */
  declare isBusy: boolean;

  constructor() {
    super();
    this.retention = null;
    this.now = Date.now();
    this.isBusy = false;
    this.isStarting = false;
    this.problem = "";
  }

  async #onRun(): Promise<void> {
    this.isStarting = true;
    this.problem = "";
    try {
      this.dispatchEvent(new CustomEvent<Job>("sentiero-job", { detail: await runRetention() }));
    } catch (error) {
      this.problem = errorText(error);
    }
    this.isStarting = false;
  }

  #renderTime(at: number, words: string): TemplateResult {
    return html`<time datetime=${toIso(at)} title=${formatExact(at)}>${words}</time>`;
  }

  #renderRuns({ lastRunAt, lastRemoved, nextRunAt }: MaintenanceAnswer["retention"]): TemplateResult {
    const last =
      lastRunAt === null
        ? "It has not run yet."
        : html`Last run ${this.#renderTime(lastRunAt, formatAgo(lastRunAt, this.now))}, removed
          ${formatNumberOf(lastRemoved, "session")}.`;
    const next =
      nextRunAt === null
        ? "No run is planned, because this process runs no timer."
        : nextRunAt <= this.now
          ? "The next run is due."
          : html`Next run
            ${this.#renderTime(nextRunAt, `${formatDate(nextRunAt)}, in ${formatDuration(nextRunAt - this.now)}`)}.`;
    return html`<p class="quiet">${last} ${next}</p>`;
  }

  #renderContent(retention: MaintenanceAnswer["retention"], days: number): TemplateResult {
    return html`<p class="text">
        Sessions are removed <strong>${formatNumberOf(days, "day")}</strong> after their last upload.
      </p>
      ${this.#renderRuns(retention)}
      ${this.problem ? html`<div class="notice danger" role="alert">${icon("warning")}${this.problem}</div>` : nothing}
      <div class="buttons">
        <button class="button" type="button" ?disabled=${this.isBusy || this.isStarting} @click=${this.#onRun}>
          Run now
        </button>
      </div>`;
  }

  override render(): TemplateResult | typeof nothing {
    const { retention } = this;
    if (!retention) return nothing;
    return html`<section class="card section" aria-labelledby="title">
      <h2 id="title">Retention</h2>
      ${
        retention.days === null
          ? html`<p class="text">Recordings are kept for ever.</p>
              <p class="text">To have them removed by age, set the option ${code("retentionDays: 90")}</p>`
          : this.#renderContent(retention, retention.days)
      }
    </section>`;
  }
}

customElements.define("sentiero-retention", SentieroRetention);

declare global {
  interface HTMLElementTagNameMap {
    "sentiero-retention": SentieroRetention;
  }
}
