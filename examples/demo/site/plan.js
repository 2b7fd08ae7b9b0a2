// The visitor's route and packing list, kept in the browser and shared by its tabs.
const key = "valcorda-plan";

const start = {
  stages: [],
  packing: [
    { text: "Sleeping bag liner", done: false },
    { text: "Head torch", done: false },
    { text: "Rain jacket", done: false },
    { text: "Slippers for the hut", done: false },
    { text: "Chocolate, more than you think", done: false },
  ],
};

/** The plan as it is kept: `stages` of `{ hut, room, price, nights }`, `packing` of `{ text, done }`. */
export function readPlan() {
  try {
    const plan = JSON.parse(localStorage.getItem(key) ?? "null");
    if (Array.isArray(plan?.stages) && Array.isArray(plan.packing)) return plan;
  } catch {
    // Storage may be blocked or hold somebody else's text: begin anew.
  }
  return structuredClone(start);
}

/** Keeps the plan and brings the count in the header up to date. */
export function writePlan(plan) {
  try {
    localStorage.setItem(key, JSON.stringify(plan));
  } catch {
    // Without storage the plan lasts as long as the page.
  }
  showCount(plan);
}

/** The number of stages beside "Planner" in the header. */
export function showCount(plan) {
  const count = document.querySelector("#plan-count");
  count.hidden = plan.stages.length === 0;
  count.textContent = String(plan.stages.length);
}

/** Calls `listener` when another tab has changed the plan. */
export function onPlanChange(listener) {
  addEventListener("storage", (event) => {
    if (event.key === key) listener(readPlan());
  });
}
