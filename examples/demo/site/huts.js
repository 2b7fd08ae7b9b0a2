const list = document.querySelector("#huts");
const form = document.querySelector("#filters");
const result = document.querySelector("#result");
const cards = [...list.children];

form.addEventListener("change", () => {
  const { tag, sort } = Object.fromEntries(new FormData(form));
  cards.sort((a, b) => Number(a.dataset[sort]) - Number(b.dataset[sort]));
  for (const card of cards) card.hidden = tag !== "" && !card.dataset.tags.split(" ").includes(tag);
  // Cards that stay where they are aren't touched: a recording holds every change.
  if (cards.some((card, index) => card !== list.children[index])) list.append(...cards);
  const count = cards.filter((card) => !card.hidden).length;
  result.textContent = count === 1 ? "1 hut" : `${count} huts`;
});

// A reload or the back button may bring the old choice back.
form.dispatchEvent(new Event("change"));
