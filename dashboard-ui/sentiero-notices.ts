import { LitElement, css, html, type CSSResultGroup, type PropertyDeclarations, type TemplateResult } from "lit";
import type { Notice } from "../src/types.ts";
import { codeText } from "./code-text.ts";
import { icon, type IconName } from "./icons.ts";
import { sectionStyles } from "./maintenance-styles.ts";
import { baseStyles, surfaceStyles } from "./shared-styles.ts";

const levels: Record<Notice["level"], { readonly icon: IconName; readonly style: string; readonly word: string }> = {
  error: { icon: "error", style: "danger", word: "Error" },
  warning: { icon: "warning", style: "warning", word: "Warning" },
  info: { icon: "info", style: "", word: "Note" },
};

/** What is wrong or worth knowing, and what to do about it. */
export class SentieroNotices extends LitElement {
  static override styles: CSSResultGroup = [
    baseStyles,
    surfaceStyles,
    sectionStyles,
    css`
      ul {
        display: grid;
        gap: var(--s-2);
      }
      .words {
        min-width: 0;
        overflow-wrap: anywhere;
      }
      .what {
        font-weight: 500;
      }
      .remedy {
        color: var(--s-text-2);
      }
    `,
  ];

  static override properties: PropertyDeclarations = { notices: { attribute: false } };

  /** In the order in which they are shown. */
  declare notices: readonly Notice[];

  constructor() {
    super();
    this.notices = [];
  }

  override render(): TemplateResult {
    return html`<ul>
      ${this.notices.map(({ level, what, remedy }) => {
        const look = levels[level] ?? levels.info;
        return html`<li class="notice ${look.style}">
          ${icon(look.icon)}
          <div class="words">
            <p class="what"><span class="only-read">${look.word}: </span>${what}</p>
            ${remedy ? html`<p class="remedy">${codeText(remedy)}</p>` : ""}
          </div>
        </li>`;
      })}
    </ul>`;
  }
}

customElements.define("sentiero-notices", SentieroNotices);

declare global {
  interface HTMLElementTagNameMap {
    "sentiero-notices": SentieroNotices;
  }
}
