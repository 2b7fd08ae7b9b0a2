import { onPlanChange, readPlan, showCount, writePlan } from "./plan.js";

let timer = 0;

/** A short message at the foot of the page. */
export function toast(text) {
  const element = document.querySelector("#toast");
  element.textContent = text;
  element.classList.add("shown");
  clearTimeout(timer);
  timer = setTimeout(() => element.classList.remove("shown"), 3500);
}

showCount(readPlan());
onPlanChange(showCount);

document.querySelector("#add-round")?.addEventListener("click", () => {
  const plan = readPlan();
  plan.stages = [
    { hut: "larice", room: "dormitory", price: 48, nights: 1 },
    { hut: "lago-muto", room: "dormitory", price: 56, nights: 1 },
    { hut: "corno-storto", room: "dormitory", price: 18, nights: 1 },
  ];
  writePlan(plan);
  toast("Three nights are in your planner.");
});
