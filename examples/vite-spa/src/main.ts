import { sentiero } from "sentiero/recorder";

sentiero.start({ eventsUrl: "/sentiero/events" });

const titles: Readonly<Record<string, string>> = { "/": "Bread, baked at night", "/hours": "Open from six to noon" };
const heading = document.querySelector("h1")!;
const output = document.querySelector("output")!;

function show(): void {
  heading.textContent = titles[location.pathname] ?? "No such page";
}

document.querySelector("button")!.addEventListener("click", () => {
  output.value = String(Number(output.value) + 1);
  sentiero.track("loaf", { loaves: Number(output.value) });
});
document.querySelector("nav")!.addEventListener("click", (event) => {
  const path = event.target instanceof HTMLAnchorElement ? event.target.pathname : "";
  if (!Object.hasOwn(titles, path)) return;
  event.preventDefault();
  history.pushState(null, "", path);
  show();
});
window.addEventListener("popstate", show);
show();
