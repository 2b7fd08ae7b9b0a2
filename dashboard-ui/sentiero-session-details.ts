import {
  LitElement,
  css,
  html,
  nothing,
  type CSSResultGroup,
  type PropertyDeclarations,
  type TemplateResult,
} from "lit";
import type { SessionDetail, WindowSummary } from "../src/types.ts";
import { formatBytes, formatCount, formatDuration, formatExact, formatNumberOf } from "./formats.ts";
import { icon } from "./icons.ts";
import type { RecorderCost } from "./recorder-cost.ts";
import { baseStyles } from "./shared-styles.ts";
import "./sentiero-copy-button.ts";

/** Less is what a clock and a slow network do. */
const MIN_SKEW_MS = 60_000;

/** Everything that is known of a session, to be looked up rather than read. */
export class SentieroSessionDetails extends LitElement {
  static override styles: CSSResultGroup = [
    baseStyles,
    css`
      :host {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(100%, 340px), 1fr));
        gap: var(--s-4);
        align-items: start;
      }
      section {
        padding: var(--s-4);
        border: 1px solid var(--s-border);
        border-radius: var(--s-radius);
        background: var(--s-surface);
      }
      h2 {
        margin-bottom: var(--s-3);
        font-size: var(--s-text-md);
        font-weight: 600;
      }
      .pair {
        display: grid;
        grid-template-columns: minmax(96px, 32%) minmax(0, 1fr);
        gap: var(--s-3);
        padding: 5px 0;
        font-size: var(--s-text-sm);
        line-height: 22px;
      }
      .pair + .pair {
        border-top: 1px solid var(--s-border);
      }
      dt {
        color: var(--s-text-3);
        overflow-wrap: anywhere;
      }
      dd {
        display: flex;
        gap: var(--s-1);
        justify-content: space-between;
        overflow-wrap: anywhere;
        white-space: pre-line;
      }
      dd > span {
        min-width: 0;
      }
      .privacy {
        display: flex;
        grid-column: 1 / -1;
        align-items: flex-start;
        gap: var(--s-2);
        color: var(--s-text-2);
        font-size: var(--s-text-sm);
      }
      .privacy .icon {
        margin-top: 2px;
        color: var(--s-text-3);
      }
      .privacy.open,
      .privacy.open .icon {
        color: var(--s-warning);
      }
      sentiero-copy-button {
        margin: -5px -6px;
      }
    `,
  ];

  static override properties: PropertyDeclarations = {
    session: { attribute: false },
    shownWindow: { attribute: false },
    cost: { attribute: false },
  };

  declare session: SessionDetail | null;
  /** The window that is shown. */
  declare shownWindow: WindowSummary | null;
  /** What recording cost the pages of that window; null where it is not known. */
  declare cost: RecorderCost | null;

  constructor() {
    super();
    this.session = null;
    this.shownWindow = null;
    this.cost = null;
  }

  #renderPair(name: string, value: string, isId: boolean = false): TemplateResult {
    return html`<div class="pair">
      <dt class="recorded">${name}</dt>
      <dd>
        <span class="recorded ${isId ? "mono" : ""}">${value}</span>
        ${
          isId
            ? html`<sentiero-copy-button
                plain
                square
                .text=${value}
                label="Copy ${name.toLowerCase()}"
              ></sentiero-copy-button>`
            : nothing
        }
      </dd>
    </div>`;
  }

  #renderPrivacy({ metadata }: SessionDetail): TemplateResult | typeof nothing {
    const { words, isOpen } = privacyOf(metadata);
    if (!words) return nothing;
    return html`<p class="privacy ${isOpen ? "open" : ""}">
      ${icon(isOpen ? "warning" : "shield")}<span>${words}</span>
    </p>`;
  }

  override render(): TemplateResult | typeof nothing {
    const { session, shownWindow } = this;
    if (!session) return nothing;
    const skew = shownWindow ? skewWords(shownWindow.clockSkewMs) : "";
    // What the recorder says of itself is told in words, and a page without a referrer says nothing.
    const metadata = Object.entries(session.metadata).filter(
      ([name, value]) => !name.startsWith("sentiero_") && value !== "",
    );
    return html`
      ${this.#renderPrivacy(session)}
      <section>
        <h2>Session</h2>
        <dl>
          ${this.#renderPair("Session id", session.id, true)}
          ${session.firstEventAt > 0 ? this.#renderPair("Began", formatExact(session.firstEventAt)) : nothing}
          ${session.lastEventAt > 0 ? this.#renderPair("Last event", formatExact(session.lastEventAt)) : nothing}
          ${this.#renderPair("Last received", formatExact(session.updatedAt))}
          ${session.browser ? this.#renderPair("Browser", named(session.browser)) : nothing}
          ${session.os ? this.#renderPair("System", named(session.os)) : nothing}
          ${session.device ? this.#renderPair("Device", session.device) : nothing}
          ${session.entryUrl ? this.#renderPair("Entry page", session.entryUrl) : nothing}
          ${session.lastUrl ? this.#renderPair("Last page", session.lastUrl) : nothing}
          ${this.#renderPair("Stored", formatBytes(session.byteCount))}
        </dl>
      </section>
      ${
        shownWindow
          ? html`<section>
              <h2>This tab</h2>
              <dl>
                ${this.#renderPair("Window id", shownWindow.id, true)}
                ${this.#renderPair("Duration", formatDuration(shownWindow.lastEventAt - shownWindow.firstEventAt))}
                ${skew ? this.#renderPair("Clock", skew) : nothing}
                ${this.#renderPair("Events", formatCount(shownWindow.eventCount))}
                ${this.#renderPair("Uploads", formatCount(shownWindow.batchCount))}
                ${this.#renderPair("Stored", formatBytes(shownWindow.byteCount))}
                ${this.cost ? this.#renderPair("Recorder's own cost", costWords(this.cost)) : nothing}
              </dl>
            </section>`
          : nothing
      }
      ${
        metadata.length > 0
          ? html`<section>
              <h2>Metadata</h2>
              <dl>${metadata.map(([name, value]) => this.#renderPair(name, String(value)))}</dl>
            </section>`
          : nothing
      }
    `;
  }
}

/** What the recorder said is masked, in words; none where it did not say. `isOpen`: it recorded values of fields. */
export function privacyOf(metadata: SessionDetail["metadata"]): { readonly words: string; readonly isOpen: boolean } {
  const preset = metadata.sentiero_privacy;
  if (metadata.sentiero_mask_inputs === false)
    return { words: "What is typed is recorded, but for passwords and other secrets", isOpen: true };
  if (preset === "balanced") return { words: "Page text is recorded; what is typed is masked", isOpen: false };
  if (preset === "strict") return { words: "Text, media and addresses are masked", isOpen: false };
  return { words: "", isOpen: false };
}

/** What the browser's clock said; nothing where it was right, or nobody knows. */
function skewWords(skewMs: number | null): string {
  if (skewMs === null || Math.abs(skewMs) <= MIN_SKEW_MS) return "";
  return `The visitor's clock was ${formatDuration(Math.abs(skewMs))} ${skewMs > 0 ? "behind" : "ahead"}.`;
}

function costWords({ pieces, totalMs, longestMs, snapshots, longestSnapshotMs }: RecorderCost): string {
  const words = `${toMs(totalMs)} in ${formatNumberOf(pieces, "piece")}, longest ${toMs(longestMs)}`;
  if (snapshots === 0) return words;
  return `${words}\n${formatNumberOf(snapshots, "snapshot")} of the page, longest ${toMs(longestSnapshotMs)}`;
}

function toMs(ms: number): string {
  return `${formatCount(Math.round(ms))}\u00a0ms`;
}

function named(name: string): string {
  return name === "Other" ? "Not known" : name;
}

customElements.define("sentiero-session-details", SentieroSessionDetails);

declare global {
  interface HTMLElementTagNameMap {
    "sentiero-session-details": SentieroSessionDetails;
  }
}
