import {
  LitElement,
  html,
  nothing,
  type CSSResultGroup,
  type PropertyDeclarations,
  type PropertyValues,
  type TemplateResult,
} from "lit";
import type { SessionList, SessionSummary } from "../src/types.ts";
import { ApiError, deleteSession, errorText, fetchSession, fetchSessions, isAbort } from "./api.ts";
import {
  formatAgo,
  formatClient,
  formatCount,
  formatDate,
  formatDuration,
  formatExact,
  formatNumberOf,
  formatTime,
  hostOf,
  pathOf,
  toIso,
} from "./formats.ts";
import { icon, type IconName } from "./icons.ts";
import { isTyping } from "./keys.ts";
import { navigate, sessionPath, sessionsPath } from "./routes.ts";
import "./sentiero-confirm.ts";
import "./sentiero-install-hint.ts";
import { sessionListStyles } from "./session-list-styles.ts";
import { baseStyles, buttonStyles, centerStyles, surfaceStyles } from "./shared-styles.ts";

const PAGE_SIZE = 25;
const SKELETON_ROWS = 12;
const WEEK_MS = 7 * 24 * 3600 * 1000;
/** How often the server is asked whether there is something newer, while the page is looked at. */
const POLL_MS = 20_000;

const deviceIcons: Record<NonNullable<SessionSummary["device"]>, IconName> = {
  Desktop: "desktop",
  Mobile: "phone",
  Tablet: "tablet",
};

/** All sessions, newest first, a page at a time. */
export class SentieroSessionList extends LitElement {
  static override styles: CSSResultGroup = [baseStyles, buttonStyles, surfaceStyles, centerStyles, sessionListStyles];

  static override properties: PropertyDeclarations = {
    cursor: { type: String },
    page: { type: Number },
    list: { state: true },
    error: { state: true },
    newer: { state: true },
    jumpProblem: { state: true },
    now: { state: true },
  };

  declare private list: SessionList | null;
  declare private error: unknown;
  declare private newer: number;
  declare private jumpProblem: string;
  declare private now: number;

  /** Where the page begins; null for the newest. */
  declare cursor: string | null;
  /** Counts pages from 1, for the viewer only. */
  declare page: number;

  #abort: AbortController | null = null;
  #pollTimer = 0;

  constructor() {
    super();
    this.cursor = null;
    this.page = 1;
    this.list = null;
    this.error = null;
    this.newer = 0;
    this.jumpProblem = "";
    this.now = Date.now();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener("keydown", this.#onPageKey);
    this.#pollTimer = window.setInterval(() => void this.#poll(), POLL_MS);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("keydown", this.#onPageKey);
    clearInterval(this.#pollTimer);
    this.#abort?.abort();
  }

  /** Asks the server anew and shows skeletons meanwhile. */
  reload(): void {
    this.list = null;
    void this.#load();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("cursor") || !this.hasUpdated) this.reload();
  }

  async #load(): Promise<void> {
    this.#abort?.abort();
    const abort = (this.#abort = new AbortController());
    this.error = null;
    try {
      const list = await fetchSessions({ cursor: this.cursor, limit: PAGE_SIZE }, abort.signal);
      if (abort.signal.aborted) return;
      this.list = list;
      this.newer = list.newer;
      this.now = Date.now();
    } catch (error) {
      if (!isAbort(error) && !abort.signal.aborted) this.error = error;
    }
  }

  /** Counts what came since; a server that does not answer is no news. */
  async #poll(): Promise<void> {
    const { list } = this;
    if (!list || this.error || document.visibilityState !== "visible") return;
    this.now = Date.now();
    try {
      const cursor = list.cursor ?? this.cursor;
      const answer = await fetchSessions({ cursor, limit: cursor ? 1 : PAGE_SIZE }, this.#abort?.signal);
      if (this.list !== list) return;
      // Where everything fits on the first page there is no cursor to count from.
      this.newer = cursor ? answer.newer : answer.sessions.filter((session) => session.updatedAt > list.asOf).length;
      if (list.sessions.length === 0 && answer.sessions.length > 0) this.list = answer;
    } catch {
      // Asked again in a while.
    }
  }

  get #trail(): string[] {
    const state = history.state as { trail?: unknown } | null;
    return Array.isArray(state?.trail) ? state.trail.filter((cursor) => typeof cursor === "string") : [];
  }

  #onOlder(event: MouseEvent): void {
    if (!isPlainClick(event) || !this.list?.cursor) return;
    event.preventDefault();
    navigate(sessionsPath(this.list.cursor, this.page + 1), { state: { trail: [...this.#trail, this.cursor ?? ""] } });
  }

  #onNewer(event: MouseEvent): void {
    const trail = this.#trail;
    if (!isPlainClick(event) || trail.length === 0) return;
    event.preventDefault();
    navigate(sessionsPath(trail.at(-1) || null, this.page - 1), { state: { trail: trail.slice(0, -1) } });
  }

  #onReload(): void {
    if (this.cursor) navigate(sessionsPath());
    else this.reload();
  }

  #onDelete(session: SessionSummary): void {
    void this.renderRoot.querySelector("sentiero-confirm")?.ask({
      title: "Delete this session?",
      text: `${formatDate(session.firstEventAt || session.createdAt)}, ${session.entryUrl ? pathOf(session.entryUrl) : session.id}. Its recording will be gone for good.`,
      action: "Delete session",
      run: async () => {
        await deleteSession(session.id);
        await this.#load();
      },
    });
  }

  async #onJump(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const id = (this.renderRoot.querySelector("input")?.value ?? "").trim();
    this.jumpProblem = "";
    if (!id) return;
    try {
      await fetchSession(id);
      navigate(sessionPath(id));
    } catch (error) {
      const isUnknown = error instanceof ApiError && (error.status === 404 || error.status === 400);
      this.jumpProblem = isUnknown ? "No session has this id." : errorText(error);
    }
  }

  #onJumpInput(): void {
    this.jumpProblem = "";
  }

  #onPageKey = (event: KeyboardEvent): void => {
    if (isTyping(event)) return;
    if (event.key === "/") {
      event.preventDefault();
      this.renderRoot.querySelector("input")?.focus();
    }
    if (event.key !== "j" && event.key !== "k") return;
    const links = [...this.renderRoot.querySelectorAll<HTMLAnchorElement>(".body a")];
    const current = links.findIndex((link) => link.matches(":focus"));
    const next = links[event.key === "j" ? current + 1 : Math.max(0, current - 1)];
    next?.focus();
  };

  #renderRow(session: SessionSummary): TemplateResult {
    const began = session.firstEventAt || session.createdAt;
    const entry = session.entryUrl ? pathOf(session.entryUrl) : "No page recorded";
    const last = session.lastUrl && session.lastUrl !== session.entryUrl ? pathOf(session.lastUrl) : "";
    return html`<div class="row" role="row">
      <div class="when" role="cell">
        <span class="line">
          <time datetime=${toIso(began)} title=${formatExact(began)}>${formatAgo(began, this.now)}</time>
          ${session.state === "live" ? html`<span class="dot" title="Live"></span><span class="only-read">live</span>` : nothing}
        </span>
        <span class="faint">${this.now - began < WEEK_MS ? formatDate(began) : formatTime(began)}</span>
      </div>
      <div class="pages" role="cell">
        <a class="cut recorded" href=${sessionPath(session.id)} title=${session.entryUrl || nothing}>${entry}</a>
        ${
          last
            ? html`<span class="to faint" title=${session.lastUrl}>→ <span class="cut recorded">${last}</span></span>`
            : html`<span class="faint cut recorded">${hostOf(session.entryUrl) || session.id}</span>`
        }
      </div>
      <div class="number" role="cell">${formatDuration(session.durationMs)}</div>
      ${this.#renderNumber(session.clickCount, "click")} ${this.#renderNumber(session.pageCount, "page")}
      ${this.#renderNumber(session.eventCount, "event")}
      <div class="number tabs" role="cell">
        ${formatCount(session.windowCount)}<span class="word"> ${session.windowCount === 1 ? "tab" : "tabs"}</span>
      </div>
      <div class="device" role="cell">${this.#renderDevice(session)}</div>
      <div class="delete-cell" role="cell">
        <button
          class="button square plain delete"
          type="button"
          aria-label="Delete the session of ${formatDate(began)}"
          title="Delete"
          @click=${() => this.#onDelete(session)}
        >
          ${icon("trash")}
        </button>
      </div>
    </div>`;
  }

  #renderNumber(count: number, word: string): TemplateResult {
    return html`<div class="number" role="cell">
      ${formatCount(count)}<span class="word"> ${count === 1 ? word : `${word}s`}</span>
    </div>`;
  }

  #renderDevice(session: SessionSummary): TemplateResult | typeof nothing {
    const { viewportWidth: width, viewportHeight: height, device } = session;
    const client = formatClient(session);
    if (width === 0 && !client && !device) return nothing;
    const bySize = width < 600 ? "Mobile" : width < 1000 ? "Tablet" : "Desktop";
    const size = width > 0 ? `${width}×${height}` : "";
    return html`${icon(deviceIcons[device ?? bySize])}
      <span class="client">
        ${device ? html`<span class="only-read">${device}, </span>` : nothing}
        <span class="cut recorded" title=${client || nothing}>${client || size}</span>
        ${client && size ? html`<span class="faint size" title="Viewport of the first page">${size}</span>` : nothing}
      </span>`;
  }

  #renderTable(sessions: readonly SessionSummary[] | null): TemplateResult {
    return html`<div class="table card" role="table" aria-label="Sessions" aria-busy=${sessions === null}>
      <div role="rowgroup">
        <div class="row head" role="row">
          <div role="columnheader">When</div>
          <div role="columnheader">Pages, first → last</div>
          <div class="number" role="columnheader">Duration</div>
          <div class="number" role="columnheader">Clicks</div>
          <div class="number" role="columnheader">Pages</div>
          <div class="number" role="columnheader">Events</div>
          <div class="number tabs" role="columnheader">Tabs</div>
          <div class="device" role="columnheader">Browser</div>
          <div role="columnheader"><span class="only-read">Delete</span></div>
        </div>
      </div>
      <div class="body" role="rowgroup">
        ${sessions ? sessions.map((session) => this.#renderRow(session)) : Array.from({ length: SKELETON_ROWS }, renderBones)}
      </div>
    </div>`;
  }

  #renderContent(): TemplateResult {
    if (this.error) {
      return html`<div class="card center" role="alert">
        ${icon("warning")}
        <p>${errorText(this.error)}</p>
        <button class="button" type="button" @click=${this.#onReload}>Try again</button>
      </div>`;
    }
    const { list } = this;
    if (list && list.sessions.length === 0) {
      return this.cursor
        ? html`<div class="card center">
            ${icon("info")}
            <p>No sessions are older than this.</p>
            <a class="button" href=${sessionsPath()}>Newest sessions</a>
          </div>`
        : html`<div class="card"><sentiero-install-hint></sentiero-install-hint></div>`;
    }
    return html`${this.#renderTable(list?.sessions ?? null)} ${list ? this.#renderPaging(list) : nothing}`;
  }

  #renderPaging(list: SessionList): TemplateResult | typeof nothing {
    if (!this.cursor && !list.cursor)
      return html`<footer><span>${formatNumberOf(list.sessions.length, "session")}</span></footer>`;
    const trail = this.#trail;
    const newerPath = trail.length > 0 ? sessionsPath(trail.at(-1) || null, this.page - 1) : sessionsPath();
    return html`<footer>
      ${
        this.cursor
          ? html`<a class="button" href=${newerPath} @click=${this.#onNewer}
              >${icon("back")}${trail.length > 0 ? "Newer" : "Newest"}</a
            >`
          : html`<span></span>`
      }
      <span>Page ${this.page}</span>
      ${
        list.cursor
          ? html`<a class="button" href=${sessionsPath(list.cursor, this.page + 1)} @click=${this.#onOlder}
              >Older${icon("next")}</a
            >`
          : html`<span></span>`
      }
    </footer>`;
  }

  override render(): TemplateResult {
    return html`
      <header>
        <h1>Sessions</h1>
        <form role="search" @submit=${this.#onJump}>
          ${icon("search")}
          <input
            type="search"
            aria-label="Open a session by its id"
            placeholder="Open a session by its id"
            autocomplete="off"
            spellcheck="false"
            @input=${this.#onJumpInput}
          />
          ${this.jumpProblem ? html`<div class="jump-problem" role="alert">${this.jumpProblem}</div>` : nothing}
        </form>
      </header>
      ${
        this.newer > 0 && this.list
          ? html`<button class="button newer" type="button" @click=${this.#onReload}>
              ${this.newer >= 100 ? "100 or more" : this.newer} newer — reload
            </button>`
          : nothing
      }
      ${this.#renderContent()}
      <sentiero-confirm></sentiero-confirm>
    `;
  }
}

function renderBones(): TemplateResult {
  return html`<div class="row" role="row" aria-hidden="true">
    <div class="when"><div class="bone short"></div></div>
    <div class="pages"><div class="bone short"></div></div>
    <div class="bone end"></div>
    <div class="bone end"></div>
    <div class="bone end"></div>
    <div class="bone end"></div>
    <div class="bone end tabs"></div>
    <div class="device"><div class="bone end"></div></div>
  </div>`;
}

function isPlainClick(event: MouseEvent): boolean {
  return event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
}

customElements.define("sentiero-session-list", SentieroSessionList);

declare global {
  interface HTMLElementTagNameMap {
    "sentiero-session-list": SentieroSessionList;
  }
}
