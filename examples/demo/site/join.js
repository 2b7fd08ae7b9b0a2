const form = document.querySelector("#join");
const error = document.querySelector("#join-error");
const welcome = document.querySelector("#welcome");

const messages = {
  name: "Please tell us your name.",
  email: "Please give an e-mail address, such as goat@example.org.",
  password: "The password needs at least 8 characters.",
  rules: "Please promise to look after the winter room.",
};

form.addEventListener("input", ({ target }) => {
  if (target.name === "group") document.querySelector("#card-group").textContent = target.value || "Your group";
  if (target.name === "kind") document.querySelector("#card-kind").textContent = target.value;
});

form.elements.card.addEventListener("change", () => {
  const digits = form.elements.card.value.replace(/\D/g, "");
  form.elements.card.value = digits.replace(/(.{4})(?=.)/g, "$1 ");
});

form.addEventListener("submit", (event) => {
  event.preventDefault();
  for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
  const wrong = [...form.elements].find((field) => field.willValidate && !field.validity.valid);
  error.textContent = wrong ? messages[wrong.name] : "";
  if (wrong) {
    wrong.setAttribute("aria-invalid", "true");
    wrong.focus();
    return;
  }
  form.hidden = true;
  welcome.hidden = false;
  welcome.querySelector("h2").focus();
  scrollTo({ top: 0 });
});
