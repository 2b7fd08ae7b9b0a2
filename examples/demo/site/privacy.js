// The name that the server's `optOutCookieName` has by default.
const flag = "sentiero_optout";

const states = {
  on: ["Recording is on.", "You can watch your own visit in the dashboard."],
  off: ["Recording is off.", "This browser is remembered by a cookie, for a year."],
  gpc: ["Recording is off.", "Your browser sends Global Privacy Control, and that is respected."],
  missing: ["Recording is off.", "The recorder didn't load; something in this browser may block it."],
};

function isOptedOut() {
  let kept = "";
  try {
    kept = localStorage.getItem(flag) ?? "";
  } catch {
    // Blocked storage has nothing to say.
  }
  const cookie =
    document.cookie
      .split("; ")
      .find((part) => part.startsWith(`${flag}=`))
      ?.slice(flag.length + 1) ?? "";
  return [kept, cookie].some((value) => value !== "" && value !== "0" && value !== "false");
}

function show() {
  const hasRecorder = typeof window.Sentiero?.optOut === "function";
  const name = !hasRecorder ? "missing" : isOptedOut() ? "off" : navigator.globalPrivacyControl ? "gpc" : "on";
  const [state, note] = states[name];
  document.querySelector("#state").textContent = state;
  document.querySelector("#state").dataset.state = name === "on" ? "on" : "off";
  document.querySelector("#state-note").textContent = note;
  document.querySelector("#opt-out").disabled = name !== "on";
  document.querySelector("#opt-in").disabled = name !== "off";
}

document.querySelector("#opt-out").addEventListener("click", () => {
  window.Sentiero?.optOut();
  show();
});
document.querySelector("#opt-in").addEventListener("click", () => {
  window.Sentiero?.optIn();
  // Recording starts again with the next page.
  location.reload();
});

// The recorder's tag is async and may come after this script.
show();
addEventListener("load", show);
