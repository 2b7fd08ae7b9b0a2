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
import type { BatchSummary, SessionDetail, WindowSummary } from "../src/types.ts";
import { ApiError, deleteSession, errorText, fetchSession, isAbort, windowSource } from "./api.ts";
import {
  formatAgo,
  formatClient,
  formatDate,
  formatDuration,
  formatExact,
  formatNumberOf,
  hostOf,
  pathOf,
  toIso,
} from "./formats.ts";
import { icon } from "./icons.ts";
import { problemsOf } from "./recording-problems.ts";
import { navigate, sessionPath, sessionsPath } from "./routes.ts";
import "./sentiero-activity-list.ts";
import "./sentiero-confirm.ts";
import "./sentiero-copy-button.ts";
import "./sentiero-replay.ts";
import type { ReplayActivityDetail, ReplayLoadedDetail, SentieroReplay } from "./sentiero-replay.ts";
import "./sentiero-session-details.ts";
import type { SeekDetail } from "./sentiero-timeline.ts";
import "./sentiero-window-tabs.ts";
import { baseStyles, buttonStyles, centerStyles, surfaceStyles } from "./shared-styles.ts";

/** A recording can miss any number of uploads; this many are told one by one. */
const MAX_PROBLEMS = 5;

/** One session: its replay, what was done, and what is known. */
export class SentieroSessionPage extends LitElement {
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
        padding: var(--s-4) var(--s-6) var(--s-12);
      }
      header {
        display: grid;
        grid-template-columns: auto minmax(0, 1fr) auto;
        gap: 2px var(--s-3);
        align-items: center;
      }
      h1 {
        font-size: var(--s-text-xl);
        font-weight: 600;
        line-height: 1.25;
        letter-spacing: -0.01em;
      }
      .facts {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 2px var(--s-4);
        grid-column: 2;
        color: var(--s-text-2);
        font-size: var(--s-text-sm);
      }
      .actions {
        grid-row: 1 / 3;
        grid-column: 3;
        display: flex;
        gap: var(--s-2);
      }
      .watch {
        display: grid;
        grid-template-columns: minmax(0, 1fr) clamp(280px, 28%, 420px);
        gap: var(--s-4);
        height: max(440px, calc(100dvh - 150px));
      }
      :host([several]) .watch {
        height: max(440px, calc(100dvh - 202px));
      }
      .problems {
        display: grid;
        gap: 2px;
      }
      .bone.h1 {
        grid-column: 2;
        width: 40%;
        height: 26px;
      }
      .bone.facts {
        width: 60%;
        height: 16px;
        margin-top: 8px;
      }
      .bone.pane {
        height: 100%;
      }
      @media (max-width: 900px) {
        :host {
          padding: var(--s-3) var(--s-4) var(--s-8);
        }
        .watch,
        :host([several]) .watch {
          grid-template-columns: minmax(0, 1fr);
          height: auto;
        }
        sentiero-replay {
          height: clamp(320px, 54dvh, 640px);
        }
        sentiero-activity-list {
          max-height: 420px;
        }
        h1.cut {
          font-size: 1.125rem;
          overflow-wrap: anywhere;
          white-space: normal;
        }
        .facts {
          grid-column: 1 / 4;
          margin-top: var(--s-1);
        }
        .actions {
          grid-row: 1;
          gap: 0;
        }
        .word {
          display: none;
        }
      }
      @media print {
        .actions,
        .back {
          display: none;
        }
        .watch {
          display: block;
          height: auto;
        }
      }
    `,
  ];

  static override properties: PropertyDeclarations = {
    sessionId: { type: String },
    windowId: { type: String },
    startMs: { type: Number },
    session: { state: true },
    error: { state: true },
    activity: { state: true },
    batches: { state: true },
    isLoaded: { state: true },
    timeMs: { state: true },
  };

  declare private session: SessionDetail | null;
  declare private error: unknown;
  declare private activity: ReplayActivityDetail | null;
  declare private batches: readonly BatchSummary[];
  declare private isLoaded: boolean;
  declare private timeMs: number;

  declare sessionId: string;
  /** Null shows the oldest window. */
  declare windowId: string | null;
  /** Where to stand at first: ms since the window's first event. */
  declare startMs: number | null;

  #abort: AbortController | null = null;

  constructor() {
    super();
    this.sessionId = "";
    this.windowId = null;
    this.startMs = null;
    this.session = null;
    this.error = null;
    this.activity = null;
    this.batches = [];
    this.isLoaded = false;
    this.timeMs = 0;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#abort?.abort();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("sessionId")) void this.#load();
    if (changed.has("sessionId") || changed.has("windowId")) {
      this.activity = null;
      this.batches = [];
      this.isLoaded = false;
      this.timeMs = 0;
    }
  }

  protected override updated(changed: PropertyValues<this>): void {
    this.toggleAttribute("several", (this.session?.windows.length ?? 0) > 1);
    const isSameWindow = !changed.has("sessionId") && !changed.has("windowId");
    if (changed.has("startMs") && isSameWindow && this.startMs !== null) this.#replay?.seek(this.startMs);
  }

  async #load(): Promise<void> {
    this.#abort?.abort();
    const abort = (this.#abort = new AbortController());
    this.session = null;
    this.error = null;
    try {
      const session = await fetchSession(this.sessionId, abort.signal);
      if (!abort.signal.aborted) this.session = session;
    } catch (error) {
      if (!isAbort(error) && !abort.signal.aborted) this.error = error;
    }
  }

  get #replay(): SentieroReplay | null {
    return this.renderRoot.querySelector("sentiero-replay");
  }

  get #window(): WindowSummary | null {
    const windows = this.session?.windows ?? [];
    return this.windowId === null ? (windows[0] ?? null) : (windows.find(({ id }) => id === this.windowId) ?? null);
  }

  #onRetry(): void {
    void this.#load();
  }

  #onTime(event: CustomEvent<{ timeMs: number }>): void {
    this.timeMs = event.detail.timeMs;
  }

  #onActivity(event: CustomEvent<ReplayActivityDetail>): void {
    this.activity = event.detail;
  }

  #onLoaded(event: CustomEvent<ReplayLoadedDetail>): void {
    this.batches = event.detail.list;
    this.isLoaded = event.detail.batches === event.detail.totalBatches;
  }

  #onSeek(event: CustomEvent<SeekDetail>): void {
    this.#replay?.seek(event.detail.timeMs);
  }

  #onDelete(): void {
    void this.renderRoot.querySelector("sentiero-confirm")?.ask({
      title: "Delete this session?",
      text: "Its recording and everything known of it will be gone for good.",
      action: "Delete session",
      run: async () => {
        await deleteSession(this.sessionId);
        navigate(sessionsPath());
      },
    });
  }

  #linkHere = (): string => {
    const shown = this.#window;
    return location.origin + sessionPath(this.sessionId, shown?.id ?? null, this.#replay?.timeMs ?? 0);
  };

  #renderHeader(session: SessionDetail): TemplateResult {
    const path = session.entryUrl ? pathOf(session.entryUrl) : "No page recorded";
    const host = hostOf(session.entryUrl);
    const began = session.firstEventAt || session.createdAt;
    const client = formatClient(session);
    const viewport = session.viewportWidth > 0 ? `${session.viewportWidth}×${session.viewportHeight}` : "";
    return html`<header>
      <a class="button square plain back" href=${sessionsPath()} aria-label="All sessions" title="All sessions"
        >${icon("back")}</a
      >
      <h1 class="cut recorded" title=${session.entryUrl}>${path}</h1>
      <div class="facts">
        ${session.state === "live" ? html`<span class="badge live">Live</span>` : nothing}
        ${host ? html`<span class="recorded">${host}</span>` : nothing}
        <time datetime=${toIso(began)} title=${formatExact(began)}
          >${formatDate(began)} (${formatAgo(began, Date.now())})</time
        >
        <span>${formatDuration(session.durationMs)}</span>
        <span>${formatNumberOf(session.pageCount, "page")}</span>
        <span>${formatNumberOf(session.clickCount, "click")}</span>
        <span>${formatNumberOf(session.eventCount, "event")}</span>
        ${client ? html`<span class="recorded">${client}</span>` : nothing}
        ${viewport ? html`<span title="Viewport of the first page">${viewport}</span>` : nothing}
      </div>
      <div class="actions">
        <sentiero-copy-button collapses label="Copy link" icon="link" .text=${this.#linkHere}></sentiero-copy-button>
        <button class="button" type="button" title="Delete this session" @click=${this.#onDelete}>
          ${icon("trash")}<span class="word">Delete</span>
        </button>
      </div>
    </header>`;
  }

  #renderFull({ fullAt }: SessionDetail): TemplateResult | typeof nothing {
    if (fullAt === null) return nothing;
    return html`<div class="notice" role="note">
      ${icon("info")}
      <p>
        This session reached its limit at
        <time datetime=${toIso(fullAt)} title=${formatExact(fullAt)}>${formatDate(fullAt)}</time>; what came later was
        not kept.
      </p>
    </div>`;
  }

  #renderProblems(shown: WindowSummary): TemplateResult | typeof nothing {
    const problems = problemsOf(shown, this.batches);
    if (problems.length === 0) return nothing;
    const more = problems.length - MAX_PROBLEMS;
    return html`<div class="notice warning" role="note">
      ${icon("warning")}
      <div class="problems">
        ${problems.slice(0, MAX_PROBLEMS).map((problem) => html`<p>${problem}</p>`)}
        ${more > 0 ? html`<p>And ${more} more like these.</p>` : nothing}
      </div>
    </div>`;
  }

  #renderError(): TemplateResult {
    const isGone = this.error instanceof ApiError && (this.error.status === 404 || this.error.status === 410);
    return html`<div class="center" role="alert">
      ${icon(isGone ? "search" : "warning")}
      <p>
        ${isGone ? "There is no session with this id. It was deleted, or it never existed." : errorText(this.error)}
      </p>
      ${
        isGone
          ? html`<a class="button" href=${sessionsPath()}>All sessions</a>`
          : html`<button class="button" type="button" @click=${this.#onRetry}>Try again</button>`
      }
    </div>`;
  }

  #renderSkeleton(): TemplateResult {
    return html`<header aria-busy="true">
        <div class="bone h1"></div>
        <div class="bone facts"></div>
      </header>
      <div class="watch">
        <div class="bone pane"></div>
        <div class="bone pane"></div>
      </div>`;
  }

  #renderWindow(session: SessionDetail, shown: WindowSummary | null): TemplateResult {
    if (!shown) {
      return html`<div class="center">
        ${icon("info")}
        <p>${session.windows.length > 0 ? "This session has no such tab." : "This session has nothing to play."}</p>
        ${session.windows.length > 0 ? html`<a class="button" href=${sessionPath(session.id)}>First tab</a>` : nothing}
      </div>`;
    }
    return html`${this.#renderProblems(shown)}
      <div class="watch">
        <sentiero-replay
          src=${windowSource(session.id, shown.id)}
          page-keys
          .startMs=${this.startMs ?? 0}
          @sentiero-time=${this.#onTime}
          @sentiero-activity=${this.#onActivity}
          @sentiero-loaded=${this.#onLoaded}
        ></sentiero-replay>
        <sentiero-activity-list
          .items=${this.activity?.items ?? []}
          .gaps=${this.activity?.gaps ?? []}
          .pauses=${this.activity?.pauses ?? []}
          .startAt=${this.activity?.startAt ?? 0}
          .timeMs=${this.timeMs}
          .isLoading=${!this.isLoaded}
          @sentiero-seek=${this.#onSeek}
        ></sentiero-activity-list>
      </div>`;
  }

  override render(): TemplateResult {
    if (this.error) return this.#renderError();
    const { session } = this;
    if (!session) return this.#renderSkeleton();
    const shown = this.#window;
    return html`
      ${this.#renderHeader(session)}
      ${
        session.windows.length > 1
          ? html`<sentiero-window-tabs
              .sessionId=${session.id}
              .windows=${session.windows}
              .current=${shown?.id ?? ""}
            ></sentiero-window-tabs>`
          : nothing
      }
      ${this.#renderFull(session)} ${this.#renderWindow(session, shown)}
      <sentiero-session-details
        .session=${session}
        .shownWindow=${shown}
        .cost=${this.activity?.cost ?? null}
      ></sentiero-session-details>
      <sentiero-confirm></sentiero-confirm>
    `;
  }
}

customElements.define("sentiero-session-page", SentieroSessionPage);

declare global {
  interface HTMLElementTagNameMap {
    "sentiero-session-page": SentieroSessionPage;
  }
}
