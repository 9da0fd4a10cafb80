// Two comforts. Every page does its work without this file.

// The reader's time zone, so that "8 o'clock" means theirs. The server checks what it gets.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
for (const input of document.querySelectorAll("input[type=hidden][name$=zone]")) {
  if (zone) input.value = zone;
}

// A search box above a long choice of chips.
const MANY = 12;

function offerSearch(form, number) {
  const chips = [...form.querySelectorAll(".chips .chip")];
  if (chips.length < MANY) return;
  const first = form.querySelector(".chips");
  const place = first.closest("fieldset") ?? first;
  const box = document.createElement("div");
  box.className = "field chip-search";
  const id = `chip-search-${number}`;
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

[...document.forms].forEach(offerSearch);
