// The client-routed part of the site: /planner, /planner/packing, /planner/summary and /planner/stage/<hut>.
import { onPlanChange, readPlan, writePlan } from "./plan.js";
import { toast } from "./site.js";

const huts = JSON.parse(document.querySelector("#huts").textContent);
const view = document.querySelector("#view");
const title = document.querySelector("#view-title");
const valley = 1350;
let plan = readPlan();

const views = {
  route: { title: () => "Your route", show: showRoute },
  packing: { title: () => "What to carry", show: showPacking },
  summary: { title: () => "In black and white", show: showSummary },
  stage: { title: (slug) => hutOf(slug).name, show: showStage },
};

function hutOf(slug) {
  return huts.find((hut) => hut.slug === slug) ?? huts[0];
}

function save() {
  writePlan(plan);
}

/** An element with attributes (or properties, with a dot) and children. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "onclick" || key === "onchange") made.addEventListener(key.slice(2), value);
    else if (value !== false) made.setAttribute(key, value === true ? "" : String(value));
  }
  made.append(...children);
  return made;
}

function showRoute() {
  const list = view.querySelector("#stages");
  const move = (from, to) => {
    plan.stages.splice(to, 0, ...plan.stages.splice(from, 1));
    save();
    draw();
  };

  const draw = () => {
    list.replaceChildren(
      ...plan.stages.map((stage, index) => {
        const hut = hutOf(stage.hut);
        const nights = stage.nights === 1 ? "1 night" : `${stage.nights} nights`;
        return element(
          "li",
          { class: "stage" },
          element(
            "div",
            {},
            element("a", { href: `/planner/stage/${hut.slug}`, class: "stage-name" }, hut.name),
            element("p", {}, `${hut.altitude.toLocaleString("en-GB")} m · ${stage.room} · ${nights}`),
          ),
          element(
            "button",
            {
              type: "button",
              class: "round",
              "aria-label": `Move ${hut.name} up`,
              disabled: index === 0,
              onclick: () => move(index, index - 1),
            },
            "↑",
          ),
          element(
            "button",
            {
              type: "button",
              class: "round",
              "aria-label": `Remove ${hut.name}`,
              onclick: () => {
                plan.stages.splice(index, 1);
                save();
                draw();
              },
            },
            "×",
          ),
        );
      }),
    );
    if (plan.stages.length === 0) {
      list.append(
        element(
          "li",
          { class: "empty" },
          "No huts yet. Add one below, or start from ",
          element("a", { href: "/huts" }, "the list"),
          ".",
        ),
      );
    }
    showNumbers();
  };

  view.querySelector("#add-stage").addEventListener("submit", (event) => {
    event.preventDefault();
    const hut = hutOf(new FormData(event.target).get("hut"));
    plan.stages.push({ hut: hut.slug, room: "dormitory", price: hut.price, nights: 1 });
    save();
    draw();
  });
  draw();
}

function showNumbers() {
  const heights = [valley, ...plan.stages.map((stage) => hutOf(stage.hut).altitude), valley];
  let up = 0;
  for (let index = 1; index < heights.length; index++) up += Math.max(0, heights[index] - heights[index - 1]);
  const nights = plan.stages.reduce((sum, stage) => sum + stage.nights, 0);
  const rows = { Huts: plan.stages.length, Nights: nights, Ascent: `${up.toLocaleString("en-GB")} m` };
  view
    .querySelector("#numbers")
    .replaceChildren(
      ...Object.entries(rows).map(([name, value]) =>
        element("div", {}, element("dt", {}, name), element("dd", {}, String(value))),
      ),
    );

  const step = 320 / (heights.length - 1);
  const points = heights.map(
    (height, index) => `${(step * index).toFixed(1)} ${(140 - ((height - 1200) / 1900) * 125).toFixed(1)}`,
  );
  // SVG has its own namespace, so its parts are parsed by the browser; only numbers go in.
  view.querySelector("#profile").innerHTML =
    `<path class="profile-area" d="M${points.join("L")}V150H0Z"/><path class="profile-line" d="M${points.join("L")}"/>` +
    `<g class="profile-stop">${points
      .slice(1, -1)
      .map((point) => `<circle cx="${point.split(" ")[0]}" cy="${point.split(" ")[1]}" r="5"/>`)
      .join("")}</g>`;
  view.querySelector("#advice").textContent =
    plan.stages.length === 0
      ? "A flat line is a rest day."
      : up > 2200
        ? "That is a lot of up. Consider a second breakfast."
        : "A sensible route. Start before eight.";
}

function showStage(slug) {
  const hut = hutOf(slug);
  const texts = { altitude: `${hut.altitude.toLocaleString("en-GB")} m`, text: hut.text, supper: hut.supper };
  for (const place of view.querySelectorAll("[data-text]")) place.textContent = texts[place.dataset.text];
  view.querySelector("[data-href]").href = `/huts/${hut.slug}`;
}

function showPacking() {
  const list = view.querySelector("#packing");
  const count = () => {
    const done = plan.packing.filter((item) => item.done).length;
    view.querySelector("#packed").textContent = `${done} of ${plan.packing.length} packed`;
    view.querySelector("#packed-bar").value = plan.packing.length === 0 ? 0 : done / plan.packing.length;
  };

  const row = (item) => {
    const box = element("input", { type: "checkbox", checked: item.done });
    const made = element("li", {}, element("label", { class: "check" }, box, element("span", {}, item.text)));
    box.addEventListener("change", () => {
      item.done = box.checked;
      save();
      count();
    });
    const remove = () => {
      plan.packing.splice(plan.packing.indexOf(item), 1);
      made.remove();
      save();
      count();
    };
    made.append(
      element("button", { type: "button", class: "round", "aria-label": `Remove ${item.text}`, onclick: remove }, "×"),
    );
    return made;
  };

  view.querySelector("#add-item").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = String(new FormData(event.target).get("item")).trim();
    if (text === "") return;
    const item = { text, done: false };
    plan.packing.push(item);
    list.append(row(item));
    event.target.reset();
    save();
    count();
  });
  list.append(...plan.packing.map(row));
  count();
}

function showSummary() {
  const rows = [];
  let night = 1;
  for (const stage of plan.stages) {
    const nights = stage.nights === 1 ? String(night) : `${night}–${night + stage.nights - 1}`;
    night += stage.nights;
    const cells = [nights, hutOf(stage.hut).name, stage.room, `€${stage.price * stage.nights}`];
    rows.push(element("tr", {}, ...cells.map((cell) => element("td", {}, cell))));
  }
  const sum = plan.stages.reduce((total, stage) => total + stage.price * stage.nights, 0);
  if (rows.length === 0) rows.push(element("tr", {}, element("td", { colspan: 4 }, "Nothing planned yet.")));
  view.querySelector("tbody").replaceChildren(...rows);
  view
    .querySelector("tfoot")
    .replaceChildren(
      element("tr", {}, element("th", { scope: "row", colspan: 3 }, "In all"), element("td", {}, `€${sum}`)),
    );

  const ask = view.querySelector("#ask");
  ask.disabled = plan.stages.length === 0;
  ask.addEventListener("click", () => {
    ask.disabled = true;
    view.querySelector("#asked").textContent = "Asked. The keepers answer by carrier goat, usually within a day.";
    toast("Your nights are on hold.");
  });
}

function render({ isFirst = false } = {}) {
  const [, , name = "route", argument] = location.pathname.replace(/\/+$/, "").split("/");
  const id = Object.hasOwn(views, name) ? name : "route";
  const { title: heading, show } = views[id];
  view.replaceChildren(document.querySelector(`#${id}-view`).content.cloneNode(true));
  title.textContent = heading(argument);
  document.title = `${title.textContent} · Valcorda`;
  for (const link of document.querySelectorAll("#tabs a")) {
    const isCurrent = link.pathname === (id === "route" || id === "stage" ? "/planner" : `/planner/${id}`);
    if (isCurrent) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  show(argument);
  // A screen reader hears of the new view by its heading.
  if (!isFirst) title.focus({ preventScroll: true });
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!link || !isPlain || !link.closest("#main") || !/^\/planner(\/|$)/.test(link.pathname)) return;
  event.preventDefault();
  if (link.pathname !== location.pathname) history.pushState(null, "", link.pathname);
  render();
});
addEventListener("popstate", () => render());
onPlanChange((changed) => {
  plan = changed;
  render({ isFirst: true });
});
render({ isFirst: true });
