import { LitElement, css, html, type CSSResultGroup, type TemplateResult } from "lit";
import { basePath } from "./routes.ts";
import { baseStyles, buttonStyles } from "./shared-styles.ts";
import "./sentiero-copy-button.ts";

/** What to do while there is no session yet. */
export class SentieroInstallHint extends LitElement {
  static override styles: CSSResultGroup = [
    baseStyles,
    buttonStyles,
    css`
      :host {
        max-width: 760px;
        margin: 0 auto;
        padding: var(--s-8) var(--s-4);
        text-align: center;
      }
      .path {
        width: 160px;
        max-width: 60%;
        color: var(--s-accent);
      }
      .path path {
        fill: none;
        stroke: currentColor;
        stroke-width: 3;
        stroke-linecap: round;
        stroke-dasharray: 1 8;
      }
      .path circle {
        fill: currentColor;
      }
      .path .hill {
        stroke: var(--s-border-strong);
        stroke-width: 1.5;
        stroke-dasharray: none;
      }
      h2 {
        margin-top: var(--s-4);
        font-size: var(--s-text-lg);
        font-weight: 600;
      }
      p {
        margin-top: var(--s-2);
        color: var(--s-text-2);
        font-size: var(--s-text-md);
        text-wrap: balance;
      }
      .snippet {
        position: relative;
        margin-top: var(--s-6);
        border: 1px solid var(--s-border);
        border-radius: var(--s-radius);
        background: var(--s-surface-2);
        text-align: start;
      }
      pre {
        margin: 0;
        padding: var(--s-4);
        overflow-wrap: anywhere;
        white-space: pre-wrap;
        font-family: var(--s-font-mono);
        font-size: var(--s-text-sm);
        line-height: 1.7;
      }
      .bar {
        display: flex;
        align-items: center;
        justify-content: space-between;
        padding: var(--s-2) var(--s-2) var(--s-2) var(--s-4);
        border-bottom: 1px solid var(--s-border);
        color: var(--s-text-3);
        font-size: var(--s-text-xs);
      }
    `,
  ];

  #snippet(): string {
    const base = location.origin + basePath;
    const config = JSON.stringify({ eventsUrl: `${base}events` });
    return [
      `<script type="application/json" id="sentiero-config">${config}</script>`,
      `<script async src="${base}recorder.js"></script>`,
    ].join("\n");
  }

  override render(): TemplateResult {
    const snippet = this.#snippet();
    return html`
      <svg class="path" viewBox="0 0 160 72" aria-hidden="true">
        <path class="hill" d="M4 66c22-2 34-34 58-34 20 0 26 18 44 18 16 0 24-14 50-16" />
        <path d="M18 64c30-2 78 2 78-14S60 38 64 24c2-8 10-10 14-12" />
        <circle cx="80" cy="9" r="5" />
      </svg>
      <h2>No sessions yet</h2>
      <p>Put these two lines into the pages you want to record. The first session appears here a few seconds later.</p>
      <div class="snippet">
        <div class="bar">HTML, in the head<sentiero-copy-button .text=${snippet} plain></sentiero-copy-button></div>
        <pre><code>${snippet}</code></pre>
      </div>
    `;
  }
}

customElements.define("sentiero-install-hint", SentieroInstallHint);

declare global {
  interface HTMLElementTagNameMap {
    "sentiero-install-hint": SentieroInstallHint;
  }
}
