import {
  LitElement,
  css,
  html,
  nothing,
  type CSSResultGroup,
  type PropertyDeclarations,
  type TemplateResult,
} from "lit";
import type { WindowSummary } from "../src/types.ts";
import { formatDuration, formatExact, formatNumberOf } from "./formats.ts";
import { sessionPath } from "./routes.ts";
import { baseStyles } from "./shared-styles.ts";

/** One link for each tab of a session. Many of them scroll sideways. */
export class SentieroWindowTabs extends LitElement {
  static override styles: CSSResultGroup = [
    baseStyles,
    css`
      nav {
        display: flex;
        gap: var(--s-1);
        overflow-x: auto;
        margin: 0 -2px;
        padding: 2px;
        scrollbar-width: thin;
      }
      a {
        display: flex;
        flex: none;
        align-items: baseline;
        gap: var(--s-2);
        padding: 6px var(--s-3);
        border: 1px solid transparent;
        border-radius: var(--s-radius-sm);
        color: var(--s-text-2);
        font-size: var(--s-text-sm);
        font-weight: 500;
        text-decoration: none;
      }
      a:hover {
        background: var(--s-surface-2);
        color: var(--s-text);
      }
      a[aria-current] {
        border-color: var(--s-border);
        background: var(--s-surface);
        box-shadow: var(--s-shadow);
        color: var(--s-text);
      }
      span {
        color: var(--s-text-3);
        font-size: var(--s-text-xs);
        font-weight: 400;
      }
    `,
  ];

  static override properties: PropertyDeclarations = {
    sessionId: { type: String },
    windows: { attribute: false },
    current: { type: String },
  };

  declare sessionId: string;
  /** Oldest first. */
  declare windows: readonly WindowSummary[];
  /** Id of the window that is shown. */
  declare current: string;

  constructor() {
    super();
    this.sessionId = "";
    this.windows = [];
    this.current = "";
  }

  protected override updated(): void {
    const strip = this.renderRoot.querySelector("nav");
    const tab = this.renderRoot.querySelector<HTMLElement>("[aria-current]");
    if (!strip || !tab) return;
    const [left, right] = [tab.offsetLeft - strip.offsetLeft, tab.offsetLeft - strip.offsetLeft + tab.offsetWidth];
    if (left < strip.scrollLeft || right > strip.scrollLeft + strip.clientWidth) strip.scrollLeft = left - 40;
  }

  override render(): TemplateResult {
    return html`<nav aria-label="Tabs of this session">
      ${this.windows.map(
        (window, index) =>
          html`<a
            href=${sessionPath(this.sessionId, window.id)}
            aria-current=${window.id === this.current ? "page" : nothing}
            title="From ${formatExact(window.firstEventAt)}
${formatDuration(window.lastEventAt - window.firstEventAt)}"
            >Tab ${index + 1} <span>${formatNumberOf(window.eventCount, "event")}</span></a
          >`,
      )}
    </nav>`;
  }
}

customElements.define("sentiero-window-tabs", SentieroWindowTabs);

declare global {
  interface HTMLElementTagNameMap {
    "sentiero-window-tabs": SentieroWindowTabs;
  }
}
