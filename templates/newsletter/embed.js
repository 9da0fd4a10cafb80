// The sign-up form for pages of other sites: <script src="https://…/embed.js" data-topics="…" async></script>
// It stands where the script stands, stays on the page, and keeps its looks to itself (a shadow root).
(() => {
  "use strict";
  const script = document.currentScript;
  const site = new URL(script.src).origin;
  const topics = (script.dataset.topics ?? "").split(/\s+/).filter(Boolean);
  const key = Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(16)).join("-");

  const looks = new CSSStyleSheet();
  looks.replaceSync(`
    :host { display: block; max-width: 26rem; color: inherit; font: inherit; line-height: 1.5; }
    label { display: block; font-weight: 600; }
    form > div { display: flex; flex-wrap: wrap; gap: .5rem; margin: .25rem 0 .5rem; }
    input { flex: 1 1 12rem; box-sizing: border-box; min-width: 0; min-height: 44px; padding: .5rem .75rem;
      border: 1px solid #857f76; border-radius: 4px; background: #fff; color: #1c1b19; font: inherit; }
    button { min-height: 44px; padding: .5rem 1.25rem; border: 1px solid #1f5f5b; border-radius: 4px;
      background: #1f5f5b; color: #fff; font: inherit; font-weight: 600; cursor: pointer; }
    [aria-invalid] { border: 2px solid #a3231b; }
    :focus-visible { outline: 3px solid currentColor; outline-offset: 2px; }
    p { margin: 0 0 .5rem; } a { color: inherit; }
    .wrong { font-weight: 600; } .wrong:empty { display: none; } small { display: block; font-size: .875em; }
  `);

  const make = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };

  const email = make("input", { type: "email", id: "email", name: "email", required: true, maxLength: 254, autocomplete: "email" });
  email.setAttribute("aria-describedby", "wrong");
  const wrong = make("p", { className: "wrong", id: "wrong" });
  wrong.setAttribute("role", "alert");
  const form = make("form", { noValidate: true },
    make("label", { htmlFor: "email" }, "Your email address"),
    make("div", {}, email, make("button", { type: "submit" }, "Subscribe")),
    wrong,
    make("small", {}, "{{ consent_words|escapejs }}"));

  const host = make("div");
  const root = host.attachShadow({ mode: "open" });
  root.adoptedStyleSheets = [looks];
  root.append(form);
  script.after(host);

  const wishes = () => ({
    email: email.value,
    topics,
    cadence: "daily",
    local_hour: 8,
    zone: Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC",
  });

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (form.getAttribute("aria-busy") !== "true") ask();
  });

  async function ask() {
    form.setAttribute("aria-busy", "true");
    try {
      const body = JSON.stringify(wishes());
      const answer = await fetch(`${site}/api/v1/subscriptions`, {
        method: "POST",
        // One key for one wish: a repeat of it does nothing, another address is another wish.
        headers: { "Content-Type": "application/json", "Idempotency-Key": `${key} ${fingerprint(body)}` },
        body,
        credentials: "omit",
      });
      // More is asked than this form can do: our own page does it.
      if (answer.status === 428 || answer.status >= 500) return postPlainly();
      const said = await answer.json();
      if (answer.ok) thank(said.did_you_mean);
      else complain(answer.status, said);
    } catch {
      postPlainly();
    } finally {
      form.removeAttribute("aria-busy");
    }
  }

  const fingerprint = (text) => [...text].reduce((sum, sign) => (Math.imul(sum, 31) + sign.codePointAt(0)) | 0, 7);

  function thank(meant) {
    const news = make("p", { tabIndex: -1 }, `Check your inbox: we have written to ${email.value}. Press the button in that mail, and you are in.`);
    news.setAttribute("role", "status");
    form.replaceWith(news);
    if (meant) {
      const again = make("button", { type: "button" }, "Yes, use that");
      const question = make("p", {}, `Did you mean ${meant}? `, again);
      again.addEventListener("click", () => {
        email.value = meant;
        question.remove();
        news.replaceWith(form);
        ask();
      });
      news.after(question);
    }
    news.focus();
  }

  function complain(status, said) {
    const named = Object.values(said.errors ?? {})[0]?.[0];
    wrong.replaceChildren(named ?? said.detail ?? "This did not work.", " ");
    if (status === 403 || status === 429) wrong.append(make("a", { href: `${site}/subscribe/` }, "Subscribe on our own page"));
    if (said.errors?.email) email.setAttribute("aria-invalid", "true");
    else email.removeAttribute("aria-invalid");
    email.focus();
  }

  function postPlainly() {
    const plain = make("form", { method: "post", action: `${site}/subscribe/`, hidden: true });
    for (const [name, value] of Object.entries(wishes())) {
      for (const one of [value].flat()) plain.append(make("input", { type: "hidden", name, value: one }));
    }
    document.body.append(plain);
    plain.submit();
  }
})();
