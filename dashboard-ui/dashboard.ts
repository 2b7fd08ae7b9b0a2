// The dashboard's one module. The shell is an empty page with a <sentiero-dashboard> in it.
import "./sentiero-dashboard.ts";
import { applyTheme, storedTheme } from "./theme.ts";

const FAVICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#1f6b4f"/>' +
  '<path d="M9 25.5c0-4.2 13.5-3.4 13.5-8.2S11 13.6 11 9.6" fill="none" stroke="#fff" stroke-width="2.6" stroke-linecap="round"/>' +
  '<circle cx="11" cy="7.5" r="2.6" fill="#fff"/></svg>';

applyTheme(storedTheme());
showFavicon();

/** The mark of the brand, so that browsers don't look for a file that the host may not have. */
function showFavicon(): void {
  if (document.querySelector("link[rel~=icon]")) return;
  const link = document.createElement("link");
  link.rel = "icon";
  link.href = `data:image/svg+xml,${encodeURIComponent(FAVICON)}`;
  document.head.append(link);
}
