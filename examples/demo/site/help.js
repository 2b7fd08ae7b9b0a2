const log = document.querySelector("#log");
let lines = 0;

function note(text) {
  lines += 1;
  log.textContent = lines === 1 ? text : `${log.textContent}\n${text}`;
}

function readThermometer(station) {
  // There is no station, so this throws a TypeError that nobody catches.
  return station.sensors.temperature.toFixed(1);
}

document.querySelector("#throw").addEventListener("click", () => {
  note("Weather: asking the station on Corno Storto …");
  readThermometer(undefined);
});

document.querySelector("#reject").addEventListener("click", () => {
  note("Webcam: opening …");
  void Promise.reject(new Error("The webcam is looking at a cow"));
});

document.querySelector("#missing").addEventListener("click", async () => {
  note("Snow report: loading …");
  const response = await fetch("/reports/snow.json");
  note(`Snow report: ${response.status} ${response.ok ? "found" : "not found"}`);
});

document.querySelector("#report").addEventListener("submit", (event) => {
  event.preventDefault();
  event.target.reset();
  document.querySelector("#reported").textContent = "Thank you. Bruno will have a look with the chainsaw.";
});
