import { html, svg, type SVGTemplateResult, type TemplateResult } from "lit";

/** Name of an icon. */
export type IconName =
  | "sessions"
  | "maintenance"
  | "back"
  | "next"
  | "play"
  | "pause"
  | "replay"
  | "skip"
  | "fullscreen"
  | "exit"
  | "link"
  | "copy"
  | "check"
  | "trash"
  | "search"
  | "warning"
  | "info"
  | "shield"
  | "keyboard"
  | "desktop"
  | "tablet"
  | "phone"
  | "system"
  | "light"
  | "dark"
  | "page"
  | "click"
  | "input"
  | "scroll"
  | "resize"
  | "custom"
  | "error"
  | "form"
  | "resource"
  | "console"
  | "request"
  | "vital"
  | "recorder";

/** Drawn on a grid of 16, in the colour of the text around. */
const paths: Record<IconName, SVGTemplateResult> = {
  sessions: svg`<rect x="1.75" y="2.75" width="12.5" height="10.5" rx="2"/><path d="M6.5 5.75v4.5l4-2.25z"/>`,
  maintenance: svg`<path d="M13.6 4.4a3.6 3.6 0 0 1-4.9 4.4l-4.3 4.6a1.6 1.6 0 0 1-2.3-2.3l4.6-4.3a3.6 3.6 0 0 1 4.4-4.9L9 4.1 11.9 7z" transform="translate(.3 .2)"/>`,
  back: svg`<path d="M9.5 3.5 5 8l4.5 4.5"/>`,
  next: svg`<path d="M6.5 3.5 11 8l-4.5 4.5"/>`,
  play: svg`<path class="fill" d="M4.5 2.6v10.8L13.2 8z"/>`,
  pause: svg`<path class="fill" d="M4 2.75h2.75v10.5H4zM9.25 2.75H12v10.5H9.25z"/>`,
  replay: svg`<path d="M3 8a5 5 0 1 0 1.6-3.7"/><path d="M4.5 1.5v3h3"/>`,
  skip: svg`<path d="M2.5 4v8L8 8zM8.5 4v8L14 8z"/>`,
  fullscreen: svg`<path d="M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10"/>`,
  exit: svg`<path d="M6 2.5V6H2.5M13.5 6H10V2.5M10 13.5V10h3.5M2.5 10H6v3.5"/>`,
  link: svg`<path d="M6.8 9.2a2.6 2.6 0 0 0 3.7 0l2.2-2.2A2.6 2.6 0 0 0 9 3.3l-.7.7M9.2 6.8a2.6 2.6 0 0 0-3.7 0L3.3 9A2.6 2.6 0 0 0 7 12.7l.7-.7"/>`,
  copy: svg`<rect x="5.5" y="5.5" width="8" height="8" rx="1.5"/><path d="M10.5 5.5v-2a1 1 0 0 0-1-1h-6a1 1 0 0 0-1 1v6a1 1 0 0 0 1 1h2"/>`,
  check: svg`<path d="m3 8.5 3.2 3.2L13 4.8"/>`,
  trash: svg`<path d="M2.5 4.25h11M6 4.25V2.5h4v1.75M4 4.25l.6 9.25h6.8l.6-9.25M6.6 7v4M9.4 7v4"/>`,
  search: svg`<circle cx="7" cy="7" r="4.25"/><path d="m10.2 10.2 3.3 3.3"/>`,
  warning: svg`<path d="M8 2 1.5 13.5h13zM8 6.5v3.25M8 11.6v.1"/>`,
  info: svg`<circle cx="8" cy="8" r="6"/><path d="M8 7.25V11M8 5v.1"/>`,
  shield: svg`<path d="M8 1.75 2.75 3.5v4c0 3.3 2.2 5.6 5.25 6.75 3.05-1.15 5.25-3.45 5.25-6.75v-4z"/>`,
  keyboard: svg`<rect x="1.5" y="4" width="13" height="8" rx="1.5"/><path d="M4.5 6.75v.1M7 6.75v.1M9.5 6.75v.1M11.75 6.75v.1M5 9.5h6"/>`,
  desktop: svg`<rect x="1.75" y="2.75" width="12.5" height="8" rx="1.25"/><path d="M5.5 13.5h5M8 10.75v2.75"/>`,
  tablet: svg`<rect x="3.25" y="1.75" width="9.5" height="12.5" rx="1.5"/><path d="M7.25 12.1h1.5"/>`,
  phone: svg`<rect x="4.5" y="1.5" width="7" height="13" rx="1.5"/><path d="M7.4 12.4h1.2"/>`,
  system: svg`<circle cx="8" cy="8" r="5.5"/><path class="fill" d="M8 2.5a5.5 5.5 0 0 1 0 11z"/>`,
  light: svg`<circle cx="8" cy="8" r="2.75"/><path d="M8 1.5v1.25M8 13.25v1.25M1.5 8h1.25M13.25 8h1.25M3.4 3.4l.9.9M11.7 11.7l.9.9M12.6 3.4l-.9.9M4.3 11.7l-.9.9"/>`,
  dark: svg`<path d="M13.5 9.7A5.75 5.75 0 0 1 6.3 2.5a5.75 5.75 0 1 0 7.2 7.2z"/>`,
  page: svg`<path d="M9.25 1.75H4.5a1 1 0 0 0-1 1v10.5a1 1 0 0 0 1 1h7a1 1 0 0 0 1-1V5zM9.25 1.75V5h3.25"/>`,
  click: svg`<path d="m5 5 2.6 8.3 1.6-4.1 4.1-1.6zM2.2 2.2l1.3 1.3M5.4 1.2v1.6M1.2 5.4h1.6"/>`,
  input: svg`<path d="M5.5 2.5c1.4 0 2.5.6 2.5 1.5v8c0 .9-1.1 1.5-2.5 1.5M10.5 2.5C9.1 2.5 8 3.1 8 4v8c0 .9 1.1 1.5 2.5 1.5M6.5 8h3"/>`,
  scroll: svg`<path d="M8 2v12M4.75 5.25 8 2l3.25 3.25M4.75 10.75 8 14l3.25-3.25"/>`,
  resize: svg`<path d="M9.5 2.5h4v4M13.5 2.5 9 7M6.5 13.5h-4v-4M2.5 13.5 7 9"/>`,
  custom: svg`<path d="M3 14V2.5h8.5l-1.75 3 1.75 3H3"/>`,
  error: svg`<circle cx="8" cy="8" r="6"/><path d="m6 6 4 4M10 6l-4 4"/>`,
  form: svg`<path d="M14 2 7 9M14 2 9.75 14 7 9 2 6.25z"/>`,
  resource: svg`<rect x="2" y="3" width="12" height="10" rx="1.5"/><path d="m2.5 11 3.25-3.25L9 11M3 2l10 12"/>`,
  console: svg`<rect x="1.75" y="2.75" width="12.5" height="10.5" rx="1.5"/><path d="m4.5 6 2 2-2 2M8.5 10.25h3"/>`,
  request: svg`<path d="M5 13V3M2.5 5.5 5 3l2.5 2.5M11 3v10M8.5 10.5 11 13l2.5-2.5"/>`,
  vital: svg`<path d="M1.5 8.5h3l2-5 3 9 2-4h3"/>`,
  recorder: svg`<circle cx="8" cy="8" r="6"/><circle class="fill" cx="8" cy="8" r="2.5"/>`,
};

/** A small drawing beside a word that says the same; hidden from screen readers. */
export function icon(name: IconName): TemplateResult {
  return html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">${paths[name]}</svg>`;
}

/** The mark of sentiero: a path that winds uphill to a place. */
export function brandMark(): TemplateResult {
  return html`<svg class="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
    <rect class="ground" width="32" height="32" rx="8" />
    <path class="trail" d="M9 25.5c0-4.2 13.5-3.4 13.5-8.2S11 13.6 11 9.6" />
    <circle class="place" cx="11" cy="7.5" r="2.6" />
    <circle class="start" cx="9" cy="25.5" r="1.6" />
  </svg>`;
}
