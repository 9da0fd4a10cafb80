// A form within [data-in-place] is answered where it stands. The server answers with whole pages, as it does
// without this file; the part of the answer that is marked likewise, else its main part, takes the form's place.

const PATIENCE = 15_000; // milliseconds

document.addEventListener("submit", (event) => {
  const form = event.target;
  const place = form.closest("[data-in-place]");
  if (!place || form.method !== "post") return;
  event.preventDefault();
  // A second press while the first is on its way is the same wish.
  if (place.getAttribute("aria-busy") !== "true") send(form, event.submitter, place);
});

async function send(form, button, place) {
  const given = button?.hasAttribute("formaction") ? button.formAction : form.action;
  place.setAttribute("aria-busy", "true");
  try {
    const body = new URLSearchParams(new FormData(form, button));
    const answer = await fetch(given, { method: "POST", body, signal: AbortSignal.timeout(PATIENCE) });
    if (answer.status >= 500) throw new Error("The server is in trouble: let the browser show its page.");
    show(place, new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch {
    postPlainly(form, button, given);
  }
  place.removeAttribute("aria-busy");
}

// As the browser would have done without us.
function postPlainly(form, button, action) {
  form.action = action;
  if (button?.name) {
    const pressed = document.createElement("input");
    Object.assign(pressed, { type: "hidden", name: button.name, value: button.value });
    form.append(pressed);
  }
  HTMLFormElement.prototype.submit.call(form);
}

function show(place, page) {
  const answer = page.querySelector("[data-in-place]") ?? page.querySelector("main");
  if (!answer) throw new Error("This is no page of ours.");
  runScriptsOf(page);
  place.replaceChildren(...answer.childNodes);
  // The page around it has its first heading already.
  for (const heading of place.querySelectorAll("h1")) {
    const smaller = document.createElement("h2");
    smaller.append(...heading.childNodes);
    heading.replaceWith(smaller);
  }
  place.dispatchEvent(new Event("swapped", { bubbles: true }));
  focusOn(place.querySelector("[autofocus]") ?? place.querySelector("[aria-invalid=true], .errorlist") ?? place.querySelector("h2") ?? place);
}

// Scripts that come with a parsed page do not run: those that this page has not are loaded anew.
function runScriptsOf(page) {
  for (const script of page.querySelectorAll("script[src]")) {
    if ([...document.scripts].some((ours) => ours.getAttribute("src") === script.getAttribute("src"))) continue;
    const anew = document.createElement("script");
    for (const { name, value } of script.attributes) anew.setAttribute(name, value);
    document.head.append(anew);
  }
}

// Screen readers say what the focus comes to.
function focusOn(element) {
  if (element.tabIndex < 0) element.tabIndex = -1;
  element.focus();
}
