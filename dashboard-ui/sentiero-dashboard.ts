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
import { brandMark, icon, type IconName } from "./icons.ts";
import { isTyping } from "./keys.ts";
import { NAVIGATE_EVENT, basePath, maintenancePath, navigate, parseRoute, sessionsPath, type Route } from "./routes.ts";
import "./sentiero-session-list.ts";
import "./sentiero-shortcuts.ts";
import "./sentiero-theme-switch.ts";
import { baseStyles, buttonStyles } from "./shared-styles.ts";

interface NavigationItem {
  readonly label: string;
  readonly icon: IconName;
  readonly path: string;
  /** Routes that stand under this item. */
  readonly routes: readonly Route["name"][];
}

const navigation: readonly NavigationItem[] = [
  { label: "Sessions", icon: "sessions", path: sessionsPath(), routes: ["sessions", "session"] },
  { label: "Maintenance", icon: "maintenance", path: maintenancePath(), routes: ["maintenance"] },
];

/** The dashboard: navigation around the page that the address names. */
export class SentieroDashboard extends LitElement {
  static override styles: CSSResultGroup = [
    baseStyles,
    buttonStyles,
    css`
      :host {
        display: grid;
        grid-template-columns: var(--s-sidebar) minmax(0, 1fr);
        min-height: 100dvh;
      }
      .side {
        position: sticky;
        top: 0;
        display: flex;
        flex-direction: column;
        gap: var(--s-6);
        height: 100dvh;
        padding: var(--s-5) var(--s-3) var(--s-3);
        border-right: 1px solid var(--s-border);
        background: var(--s-surface);
      }
      .brand {
        display: flex;
        align-items: center;
        gap: 10px;
        padding: 0 var(--s-2);
        color: var(--s-text);
        font-size: 1.0625rem;
        font-weight: 650;
        letter-spacing: -0.015em;
        text-decoration: none;
      }
      .mark {
        width: 28px;
        height: 28px;
      }
      .ground {
        fill: var(--s-accent);
      }
      .trail {
        fill: none;
        stroke: var(--s-on-accent);
        stroke-width: 2.6;
        stroke-linecap: round;
      }
      .place,
      .start {
        fill: var(--s-on-accent);
      }
      nav {
        flex: 1;
      }
      .item {
        display: flex;
        align-items: center;
        gap: 10px;
        padding: 7px var(--s-3);
        border-radius: var(--s-radius-sm);
        color: var(--s-text-2);
        font-size: var(--s-text-md);
        font-weight: 500;
        text-decoration: none;
      }
      .item:hover {
        background: var(--s-surface-2);
        color: var(--s-text);
      }
      .item[aria-current] {
        background: var(--s-accent-soft);
        color: var(--s-accent);
      }
      .foot {
        display: flex;
        align-items: center;
        justify-content: space-between;
      }
      main {
        min-width: 0;
        outline: none;
      }
      .skip {
        position: absolute;
        top: 8px;
        left: 8px;
        z-index: 10;
      }
      .skip:not(:focus) {
        clip-path: inset(50%);
        pointer-events: none;
      }
      .unknown {
        display: grid;
        gap: var(--s-4);
        justify-items: center;
        padding: 16vh var(--s-4);
        color: var(--s-text-2);
      }
      @media (max-width: 900px) {
        :host {
          grid-template-columns: minmax(0, 1fr);
          grid-template-rows: auto 1fr;
        }
        .side {
          position: static;
          flex-direction: row;
          align-items: center;
          gap: var(--s-3);
          height: auto;
          padding: var(--s-2) var(--s-4);
          border-right: 0;
          border-bottom: 1px solid var(--s-border);
        }
        nav {
          min-width: 0;
        }
        nav ul {
          display: flex;
          gap: var(--s-1);
          overflow-x: auto;
          scrollbar-width: none;
        }
        .brand {
          padding: 0;
        }
        .foot .help {
          display: none;
        }
      }
      @media (max-width: 480px) {
        .item {
          padding: 7px var(--s-2);
        }
        .item .icon {
          display: none;
        }
        .name {
          position: absolute;
          width: 1px;
          height: 1px;
          overflow: hidden;
          clip-path: inset(50%);
        }
      }
      @media print {
        :host {
          display: block;
        }
        .side {
          display: none;
        }
      }
    `,
  ];

  static override properties: PropertyDeclarations = { route: { state: true }, isStale: { state: true } };

  declare private route: Route;
  /** A part of the dashboard could not be loaded. */
  declare private isStale: boolean;

  constructor() {
    super();
    this.route = parseRoute(new URL(location.href));
    this.isStale = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener("popstate", this.#onNavigate);
    window.addEventListener(NAVIGATE_EVENT, this.#onNavigate);
    document.addEventListener("keydown", this.#onPageKey);
    this.addEventListener("click", this.#onClick);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener("popstate", this.#onNavigate);
    window.removeEventListener(NAVIGATE_EVENT, this.#onNavigate);
    document.removeEventListener("keydown", this.#onPageKey);
    this.removeEventListener("click", this.#onClick);
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("route")) void this.#loadPage();
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has("route")) document.title = titleOf(this.route);
  }

  /** The pages behind the list are files of their own: it is there sooner, and few who watch sessions ever open the last one. */
  async #loadPage(): Promise<void> {
    const { name } = this.route;
    try {
      if (name === "maintenance") await import("./sentiero-maintenance-page.ts");
      // From the list too, where a session is what comes next.
      else await import("./sentiero-session-page.ts");
      this.isStale = false;
    } catch {
      this.isStale = true;
    }
  }

  #onReload(): void {
    location.reload();
  }

  #onNavigate = (event: Event): void => {
    const before = this.route;
    this.route = parseRoute(new URL(location.href));
    // Going back restores the place by itself; a new page starts at its top, for the eye and for the screen reader.
    if (event.type !== NAVIGATE_EVENT || before.name === this.route.name) return;
    window.scrollTo(0, 0);
    this.renderRoot.querySelector("main")?.focus({ preventScroll: true });
  };

  /** Links between our own pages don't load the page anew. */
  #onClick = (event: MouseEvent): void => {
    if (
      event.defaultPrevented ||
      event.button !== 0 ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey
    )
      return;
    const link = event.composedPath().find((node) => node instanceof HTMLAnchorElement);
    if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
    if (parseRoute(new URL(link.href)).name === "unknown") return;
    event.preventDefault();
    navigate(link.pathname + link.search);
  };

  #onPageKey = (event: KeyboardEvent): void => {
    if (event.key !== "?") return;
    const isHelp = event.composedPath().some((node) => node instanceof HTMLDialogElement);
    if (isTyping(event) && !isHelp) return;
    event.preventDefault();
    this.#onHelp();
  };

  #onHelp(): void {
    this.renderRoot.querySelector("sentiero-shortcuts")?.toggle();
  }

  #onSkip(event: Event): void {
    event.preventDefault();
    this.renderRoot.querySelector("main")?.focus();
  }

  #renderStale(): TemplateResult {
    return html`<div class="unknown" role="alert">
      <p>This page could not be loaded: the server can't be reached, or it was updated meanwhile.</p>
      <button class="button" type="button" @click=${this.#onReload}>Reload</button>
    </div>`;
  }

  #renderPage(): TemplateResult {
    const { route } = this;
    switch (route.name) {
      case "sessions":
        return html`<sentiero-session-list .cursor=${route.cursor} .page=${route.page}></sentiero-session-list>`;
      case "session":
        return this.isStale
          ? this.#renderStale()
          : html`<sentiero-session-page
              .sessionId=${route.sessionId}
              .windowId=${route.windowId}
              .startMs=${route.timeMs}
            ></sentiero-session-page>`;
      case "maintenance":
        return this.isStale ? this.#renderStale() : html`<sentiero-maintenance-page></sentiero-maintenance-page>`;
      case "unknown":
        return html`<div class="unknown">
          <p>There is no such page.</p>
          <a class="button" href=${basePath}>All sessions</a>
        </div>`;
    }
  }

  override render(): TemplateResult {
    return html`
      <a class="button skip" href="#main" @click=${this.#onSkip}>Skip to the content</a>
      <div class="side">
        <a class="brand" href=${basePath}>${brandMark()}<span class="name">sentiero</span></a>
        <nav aria-label="Main">
          <ul>
            ${navigation.map(
              (item) =>
                html`<li>
                  <a
                    class="item"
                    href=${item.path}
                    aria-current=${item.routes.includes(this.route.name) ? "page" : nothing}
                  >
                    ${icon(item.icon)}${item.label}
                  </a>
                </li>`,
            )}
          </ul>
        </nav>
        <div class="foot">
          <sentiero-theme-switch></sentiero-theme-switch>
          <button
            class="button square plain help"
            type="button"
            aria-label="Keyboard shortcuts"
            title="Keyboard shortcuts (?)"
            @click=${this.#onHelp}
          >
            ${icon("keyboard")}
          </button>
        </div>
      </div>
      <main id="main" tabindex="-1">${this.#renderPage()}</main>
      <sentiero-shortcuts></sentiero-shortcuts>
    `;
  }
}

function titleOf(route: Route): string {
  const page = { sessions: "Sessions", session: "Session", maintenance: "Maintenance", unknown: "Not found" }[
    route.name
  ];
  return `${page} · sentiero`;
}

customElements.define("sentiero-dashboard", SentieroDashboard);

declare global {
  interface HTMLElementTagNameMap {
    "sentiero-dashboard": SentieroDashboard;
  }
}
