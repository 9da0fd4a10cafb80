// Comforts. Every page does its work without this file.

function prepare(root, first) {
  tellZone(root);
  if (first) guessLanguage(root);
  root.querySelectorAll("form").forEach(offerSearch);
  root.querySelectorAll("form").forEach(sumUp);
}

// The reader's time zone, so that "8 o'clock" means theirs. The server checks what it gets.
function tellZone(root) {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  for (const input of root.querySelectorAll("input[type=hidden][name$=zone]")) {
    if (zone) input.value = zone;
  }
}

// The first of the reader's languages that the mail has, unless one was asked for.
function guessLanguage(root) {
  if (new URLSearchParams(location.search).has("language")) return;
  for (const input of root.querySelectorAll(".signup [name=language], .invitation [name=language]")) {
    const known = input.options ? [...input.options].map((option) => option.value) : input.dataset.known.split(" ");
    const spoken = navigator.languages.map((tag) => tag.split("-")[0]).find((tag) => known.includes(tag));
    if (spoken) input.value = spoken;
  }
}

// A ticket that says when the reader began with the form, for pages that are the same for everybody: docs/abuse.md.
document.addEventListener("focusin", async ({ target }) => {
  const form = target.form?.elements.website && target.form;
  if (!form || form.elements.ticket) return;
  const ticket = Object.assign(document.createElement("input"), { type: "hidden", name: "ticket" });
  form.append(ticket);
  try {
    ticket.value = (await (await fetch(new URL("ticket", form.action))).json()).ticket;
  } catch {
    ticket.remove(); // the form does without
  }
});

// A search box above a long choice of chips.
const MANY = 12;
let boxes = 0;

function offerSearch(form) {
  const chips = [...form.querySelectorAll(".chips:not(.proposed) .chip:has([name$=topics])")];
  if (chips.length < MANY) return;
  const first = chips[0].closest(".chips");
  const place = first.closest("fieldset") ?? first;
  const box = document.createElement("div");
  box.className = "field chip-search";
  const id = `chip-search-${boxes++}`;
  box.innerHTML = `<label for="${id}"></label>
    <input id="${id}" type="search" autocomplete="off" spellcheck="false">
    <p class="hint" role="status"></p>`;
  box.querySelector("label").textContent = document.body.dataset.findTopic;
  place.before(box);
  const input = box.querySelector("input");
  const status = box.querySelector("[role=status]");

  function filter() {
    const wanted = input.value.trim().toLowerCase();
    let found = 0;
    for (const chip of chips) {
      const hit = chip.textContent.toLowerCase().includes(wanted);
      found += hit;
      // What is chosen stays in sight, or it would be sent unseen.
      const item = chip.closest("li") ?? chip;
      item.hidden = !hit && !chip.querySelector("input").checked;
    }
    for (const group of form.querySelectorAll("fieldset:has(.chip)")) {
      group.hidden = [...group.querySelectorAll(".chip")].every((chip) => chip.closest("[hidden]:not(fieldset)"));
    }
    const { topicsFound, noTopic } = document.body.dataset;
    status.textContent = wanted ? (found ? topicsFound.replace("{count}", found) : noTopic) : "";
  }

  input.addEventListener("input", filter);
  // Enter in a search box would send the form half filled in.
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault();
  });
}

// What is chosen within a folded part, in a line above it.
function sumUp(form) {
  const topics = form.querySelector("[data-told=topics]");
  const schedule = form.querySelector("[data-told=schedule]");
  if (!topics || !schedule) return;
  const sample = form.querySelector("[data-sample]");
  const nothing = topics.dataset.nothing;

  function tell() {
    const ticked = [...form.querySelectorAll("[name=topics]:checked")];
    const names = ticked.map((input) => {
      const chip = input.closest(".chip");
      return (chip.querySelector(".name") ?? chip).textContent.trim();
    });
    topics.textContent = names.join(", ") || nothing;
    sample.search = new URLSearchParams(ticked.map((input) => ["topics", input.value]));
    const said = (name) => form.elements[name].selectedOptions[0]?.textContent ?? "";
    const line = schedule.dataset.pattern
      .replace("{cadence}", said("cadence"))
      .replace("{hour}", said("local_hour"))
      .replace("{place}", (form.elements.zone.value || "UTC").split("/").pop().replaceAll("_", " "))
      .replace("{size}", said("digest_size"));
    const language = form.elements.language;
    const foreign = language.value !== document.documentElement.lang ? ` · ${said("language")}` : "";
    schedule.textContent = line.charAt(0).toUpperCase() + line.slice(1) + foreign;
  }

  form.addEventListener("change", tell);
  tell();
}

prepare(document, true);
// After a form was answered in its place.
document.addEventListener("swapped", (event) => prepare(event.target, false));
