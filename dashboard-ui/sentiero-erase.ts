import {
  LitElement,
  css,
  html,
  nothing,
  type CSSResultGroup,
  type PropertyDeclarations,
  type TemplateResult,
} from "lit";
import type { Job, Selection } from "../src/types.ts";
import { formatNumberOf } from "./formats.ts";
import { icon } from "./icons.ts";
import { exportPath, startJob } from "./maintenance-api.ts";
import { sectionStyles } from "./maintenance-styles.ts";
import { confirmationOf, selectionWords } from "./maintenance-words.ts";
import { renderPreview } from "./preview-line.ts";
import { SelectionPreview } from "./selection-preview.ts";
import "./sentiero-confirm.ts";
import { baseStyles, buttonStyles, fieldStyles, surfaceStyles } from "./shared-styles.ts";

type By = "user" | "ids" | "metadata";

const ways: readonly (readonly [by: By, label: string])[] = [
  ["user", "User id"],
  ["ids", "Session ids"],
  ["metadata", "Metadata"],
];

/** As many as the server takes. */
const MAX_IDS = 1000;
/** Servers and proxies refuse longer addresses. */
const MAX_EXPORT_PATH = 7000;

/**
 * Deletes what is kept of a person, after a look at what that is, and gives it out before.
 *
 * @fires sentiero-job - `Job`, when one began
 */
export class SentieroErase extends LitElement {
  static override styles: CSSResultGroup = [
    baseStyles,
    buttonStyles,
    surfaceStyles,
    fieldStyles,
    sectionStyles,
    css`
      fieldset {
        display: flex;
        gap: 2px;
        width: max-content;
        max-width: 100%;
        margin: 0;
        padding: 2px;
        border: 0;
        border-radius: var(--s-radius-sm);
        background: var(--s-surface-2);
      }
      .way {
        position: relative;
        padding: 5px var(--s-3);
        border-radius: 5px;
        color: var(--s-text-2);
        font-size: var(--s-text-sm);
        font-weight: 500;
        cursor: pointer;
      }
      .way:hover {
        color: var(--s-text);
      }
      .way:has(:checked) {
        background: var(--s-raised);
        box-shadow: var(--s-shadow);
        color: var(--s-text);
      }
      .way:has(:focus-visible) {
        outline: 2px solid var(--s-focus);
      }
      .way input {
        position: absolute;
        inset: 0;
        margin: 0;
        opacity: 0;
        cursor: pointer;
      }
      textarea {
        min-height: 88px !important;
        font-family: var(--s-font-mono) !important;
        resize: vertical;
      }
      .pair {
        display: grid;
        grid-template-columns: minmax(0, 1fr) minmax(0, 1fr);
        gap: var(--s-3);
      }
      .problem {
        color: var(--s-danger);
        font-size: var(--s-text-sm);
      }
      @media (pointer: coarse) {
        .way {
          padding: 9px var(--s-3);
        }
      }
    `,
  ];

  static override properties: PropertyDeclarations = {
    isBusy: { type: Boolean, attribute: "busy" },
    by: { state: true },
    problem: { state: true },
  };

  declare private by: By;
  declare private problem: string;

  /** A job runs already. */
  declare isBusy: boolean;

  #preview: SelectionPreview = new SelectionPreview(this);

  constructor() {
    super();
    this.isBusy = false;
    this.by = "user";
    this.problem = "";
  }

  /** Counts again. */
  refresh(): void {
    this.#preview.refresh();
  }

  async #onWay(event: Event): Promise<void> {
    this.by = (event.target as HTMLInputElement).value as By;
    await this.updateComplete;
    this.#read();
  }

  #read(): void {
    const valueOf = (name: string): string =>
      this.renderRoot.querySelector<HTMLInputElement>(`[name=${name}]`)?.value.trim() ?? "";
    const found = toSelection(this.by, valueOf);
    this.problem = typeof found === "string" ? found : "";
    this.#preview.show(typeof found === "string" ? null : found);
  }

  #onErase(): void {
    const { state } = this.#preview;
    if (state.name !== "known") return;
    const { selection, preview } = state;
    void this.renderRoot.querySelector("sentiero-confirm")?.ask({
      title: `Erase ${preview.isComplete ? formatNumberOf(preview.sessions, "session") : "all sessions"} of ${selectionWords(selection)}?`,
      text: "The recordings and everything known of them will be gone for good. Export first what has to be handed over.",
      action: "Erase",
      typed: confirmationOf("erase", preview),
      run: async () => {
        const job = await startJob("erase", selection);
        this.dispatchEvent(new CustomEvent<Job>("sentiero-job", { detail: job }));
      },
    });
  }

  #renderFields(): TemplateResult {
    switch (this.by) {
      case "user":
        return html`<label class="label">
          User id
          <input class="field" type="text" name="user" autocomplete="off" spellcheck="false" @input=${this.#read} />
          <span class="quiet">As your pages gave it in the metadata <code>userId</code>.</span>
        </label>`;
      case "ids":
        return html`<label class="label">
          Session ids, one a line
          <textarea class="field" name="ids" autocomplete="off" spellcheck="false" @input=${this.#read}></textarea>
        </label>`;
      case "metadata":
        return html`<div class="pair">
          <label class="label">
            Key
            <input class="field" type="text" name="key" autocomplete="off" spellcheck="false" @input=${this.#read} />
          </label>
          <label class="label">
            Value
            <input class="field" type="text" name="value" autocomplete="off" spellcheck="false" @input=${this.#read} />
          </label>
        </div>`;
    }
  }

  #renderExport(): TemplateResult | typeof nothing {
    const { state } = this.#preview;
    if (state.name !== "known" || state.preview.sessions === 0) return nothing;
    const path = exportPath(state.selection);
    if (path.length > MAX_EXPORT_PATH) return html`<span class="quiet">Too many ids for one export.</span>`;
    return html`<a class="button" href=${path} download>${icon("page")}Export first</a>`;
  }

  override render(): TemplateResult {
    const { state } = this.#preview;
    const isReady = state.name === "known" && state.preview.sessions > 0 && !this.isBusy;
    return html`<section class="card section" aria-labelledby="title">
        <h2 id="title">Erase a person</h2>
        <p class="text">
          Deletes the sessions with everything kept of them, and refuses what their browsers still send. Backups,
          replicas and versioned buckets are out of its reach: they may hold the person until they expire.
        </p>
        <fieldset aria-label="Find the sessions by">
          ${ways.map(
            ([by, label]) =>
              html`<label class="way">
                <input type="radio" name="by" value=${by} .checked=${this.by === by} @change=${this.#onWay} />${label}
              </label>`,
          )}
        </fieldset>
        ${this.#renderFields()} ${this.problem ? html`<p class="problem" role="alert">${this.problem}</p>` : nothing}
        ${renderPreview(state, {
          none: "Say who it is to see what would be erased.",
          empty: "There is no such session.",
        })}
        <div class="buttons">
          <button class="button danger" type="button" ?disabled=${!isReady} @click=${this.#onErase}>Erase…</button>
          ${this.#renderExport()}
          ${this.isBusy ? html`<span class="quiet">Possible when the running job has ended.</span>` : nothing}
        </div>
      </section>
      <sentiero-confirm></sentiero-confirm>`;
  }
}

/** A selection, null where there is none yet, or what is wrong with it. */
function toSelection(by: By, valueOf: (name: string) => string): Selection | null | string {
  switch (by) {
    case "user": {
      const user = valueOf("user");
      return user ? { user } : null;
    }
    case "ids": {
      const ids = [...new Set(valueOf("ids").split(/[\s,;"']+/))].filter(Boolean);
      const wrong = ids.find((id) => !/^[A-Za-z0-9_-]{1,128}$/.test(id));
      if (wrong) return `This is no session id: ${wrong.slice(0, 80)}`;
      if (ids.length > MAX_IDS) return `These are ${ids.length} ids; at most ${MAX_IDS} go at once.`;
      return ids.length > 0 ? { ids } : null;
    }
    case "metadata": {
      const [key, value] = [valueOf("key"), valueOf("value")];
      return key && value ? { metadata: { [key]: value } } : null;
    }
  }
}

customElements.define("sentiero-erase", SentieroErase);

declare global {
  interface HTMLElementTagNameMap {
    "sentiero-erase": SentieroErase;
  }
}
