// The browser that signed up opens the link in its mail: the button presses itself, once somebody looks.
// Only where the server has put the mark; and never in a page that is merely fetched ahead.
const form = document.querySelector("form[data-by-itself]");

function press() {
  if (document.prerendering || document.visibilityState !== "visible") return;
  document.removeEventListener("prerenderingchange", press);
  document.removeEventListener("visibilitychange", press);
  form.requestSubmit();
}

if (form) {
  document.addEventListener("prerenderingchange", press);
  document.addEventListener("visibilitychange", press);
  press();
}
