import { readPlan, writePlan } from "./plan.js";
import { toast } from "./site.js";

const slides = document.querySelector("#slides");
const form = document.querySelector("#booking");
const nights = document.querySelector("#nights");
const number = document.querySelector("#slide-number");
const calm = matchMedia("(prefers-reduced-motion: reduce)");

function slide() {
  return Math.round(slides.scrollLeft / slides.clientWidth);
}

function turn(step) {
  const count = slides.children.length;
  const next = (slide() + step + count) % count;
  slides.scrollTo({ left: next * slides.clientWidth, behavior: calm.matches ? "auto" : "smooth" });
}

document.querySelector("#previous").addEventListener("click", () => turn(-1));
document.querySelector("#next").addEventListener("click", () => turn(1));
slides.addEventListener("scroll", () => {
  const text = `${slide() + 1} of ${slides.children.length}`;
  if (number.textContent !== text) number.textContent = text;
});

function booking() {
  const room = form.querySelector("[name=room]:checked");
  return { hut: form.dataset.slug, room: room.value, price: Number(room.dataset.price), nights: Number(nights.value) };
}

function showTotal() {
  const { price, nights: count } = booking();
  const liner = form.elements.liner.checked ? Number(form.elements.liner.dataset.price) : 0;
  document.querySelector("#total").textContent = `€${price * count + liner}`;
}

for (const button of form.querySelectorAll("[data-step]")) {
  button.addEventListener("click", () => {
    nights.value = String(Math.min(7, Math.max(1, Number(nights.value) + Number(button.dataset.step))));
    showTotal();
  });
}
form.addEventListener("change", showTotal);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const plan = readPlan();
  plan.stages.push(booking());
  writePlan(plan);
  toast(`${form.dataset.name} is in your planner.`);
});
showTotal();
