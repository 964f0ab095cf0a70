// What the page does by itself in the browser: address, keys, questions, drop, light and dark. No library.
window.studio = (() => {
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const keep = (name, value) => { try { sessionStorage.setItem(name, value); } catch { /* private mode */ } };
  const kept = (name) => { try { return sessionStorage.getItem(name); } catch { return null; } };
  const stage = () => one('#stage section');

  // -- the address: ?job=ID or ?story=ID shows the same to whoever opens it, ?tab=NAME the tab alone -----------
  const PLACES = ['job', 'story', 'grid', 'tab'];
  const asked = () => new URLSearchParams(location.search).get('job') || '';
  function address(place, id) {
    const next = new URL(location.href);
    for (const name of [...PLACES, 'film']) next.searchParams.delete(name);
    if (id) next.searchParams.set(place, id);
    if (next.search === location.search) return;
    history.pushState(history.state, '', next);
  }
  function opened(job) {
    const id = String(job || '').split(' ')[0];
    if (id || asked()) address('job', id);
    if (id && matchMedia('(max-width: 799px)').matches) scrollTo({ top: 0 });
    return [];
  }
  const tabOf = (name) => one(`#tab_${name}-button`);
  // While the page opens a first click may find nobody who listens.
  function choose(name, tries = 40) {
    const tab = tabOf(name);
    if (tab?.getAttribute('aria-selected') === 'true') return tab.scrollIntoView({ block: 'nearest', inline: 'center' });
    tab?.click();
    if (tries) setTimeout(choose, 100, name, tries - 1);
  }
  // Which tab the address means; a story opens itself once its tab is there.
  function arrive(back) {
    const asks = new URLSearchParams(location.search);
    if (asks.get('story')) choose('story');
    else if (asks.get('grid')) choose('compare', 150);
    else if (asks.get('job')) choose('create');
    else if (/^(story|compare|styles|queue|library|models|verify|review)$/.test(asks.get('tab'))) choose(asks.get('tab'), 150);
    else if (back) choose('create');
  }
  addEventListener('popstate', () => {
    arrive(true);
    const asks = new URLSearchParams(location.search);
    const [job, wanted, grid, tab] = PLACES.map((name) => asks.get(name) || '');
    if (!wanted && !grid && !tab && job !== (stage()?.dataset.job || '')) senders.stage?.(job ? { act: 'open', key: job } : { act: 'fresh', key: '' });
    if (wanted || tab === 'story') window.story?.returned(wanted);
    if (grid || tab === 'compare') window.compare?.open(grid, false);
  });
  document.addEventListener('click', (event) => {
    const tab = event.isTrusted && event.target.closest?.('#tabs button[role=tab]');
    const name = tab && tab.id.match(/^tab_(\w+)-button$/)?.[1];
    if (!name) return;
    if (name === 'create') address('job', stage()?.dataset.job || '');
    else if (name === 'story' && window.story?.ui.story) address('story', story.ui.story);
    else if (name === 'compare' && window.compare?.ui.grid) address('grid', compare.ui.grid);
    else address('tab', name);
  });

  // -- buttons inside gr.HTML: most go to Python, some stay here ----------------------------------------------
  const senders = {};
  function able(element, send) {
    senders[element.closest('[id]:not([id^=html-])')?.id] = send;
    element.addEventListener('click', (event) => clicked(event, send));
  }
  // Whether what a button asks can still be asked: an area that is drawn anew has the same button in another element.
  function standing(button) {
    const { act, key = '', confirm = '' } = button.dataset;
    const area = button.closest('[id^=html-]') || document;
    // What it counts may be fewer by now.
    const words = (text) => text.replace(/\d+/g, '');
    const same = ({ dataset }) => dataset.act === act && (dataset.key || '') === key && words(dataset.confirm || '') === words(confirm);
    return () => all('[data-act]', area).some(same);
  }
  let pressed = {};
  async function clicked(event, send) {
    const button = event.target.closest('[data-act]');
    if (!button) return;
    const { act, key = '' } = button.dataset;
    if (here[act]) { here[act](button, key); return; }
    // A double click is one press, and who presses Again twice while nothing happens yet means one clip.
    const what = `${act} ${key}`;
    if (pressed.what === what && Date.now() - pressed.at < (act === 'again' ? 3000 : 500)) return;
    if (button.dataset.busy) {
      if (button.ariaBusy) return;
      button.ariaBusy = 'true';
      one('span', button).textContent = button.dataset.busy;
    }
    const about = button.closest('.row, .panel, .stage');
    if (!(await agreed(button, one('.asked, .open', about || document)?.textContent))) return;
    pressed = { what, at: Date.now() };
    send({ act, key });
    if (act === 'example' || act === 'edit') one('#prompt textarea')?.focus();
    if (act === 'select') card = button;
    if (act === 'close') card?.focus();
  }
  let card = null;
  const here = {
    copy: (_, key) => copy(key), verify: (_, key) => window.verify?.asset(key),
    to_story: (_, key) => { choose('story'); window.story?.wanted(key); },
    play: (button) => player.toggle(player.filmOf(button)),
    back: (button) => player.step(player.filmOf(button), -1),
    next: (button) => player.step(player.filmOf(button), 1),
    full: (button) => player.filmOf(button)?.requestFullscreen?.(),
  };
  async function copy(job) {
    const address = new URL(location.href);
    address.search = `?job=${encodeURIComponent(job)}`;
    try { await navigator.clipboard.writeText(address.href); flash('#copied'); } catch { prompt('', address.href); }
  }
  // Where the keyboard goes on after a button was answered with other buttons; not if somebody is elsewhere by now.
  const answered = (selector) => setTimeout(() => {
    if (document.activeElement === document.body) one(`${selector} [data-first]`)?.focus({ preventScroll: true });
  }, 60);
  // Whether an offer for a prompt is still about it, used or not.
  function still(prompt, offer) {
    try {
      const { before, after } = JSON.parse(offer);
      return [before, after].includes(String(prompt || '').trim());
    } catch { return false; }
  }
  function flash(selector, time = 1600) {
    const note = one(selector);
    note.hidden = false;
    setTimeout(() => { note.hidden = true; }, time);
  }
  // What a button is to ask before it does something; yes where it asks nothing.
  async function agreed(button, about) {
    const { confirm, loses } = button.dataset;
    return !confirm || sure(confirm, about, standing(button), loses !== undefined);
  }
  // Asks, and answers no by itself as soon as `stands` says that there is nothing to ask about any more. Yes is red,
  // and not what Enter presses, only where something is lost.
  function sure(question, about, stands = () => true, lost = false) {
    const dialog = one('#confirm');
    const [title, text] = all('p', dialog);
    title.textContent = question;
    text.textContent = about || '';
    dialog.returnValue = 'no';
    return new Promise((answer) => {
      const watching = setInterval(() => { if (!stands()) dialog.close('no'); }, 250);
      const closed = () => {
        // Quick fingers: this may still be told of the question before.
        if (dialog.open) return;
        clearInterval(watching);
        dialog.removeEventListener('close', closed);
        answer(dialog.returnValue === 'yes');
      };
      dialog.addEventListener('close', closed);
      dialog.showModal();
      one('#confirm_yes').classList.toggle('danger', lost);
      one('#confirm_yes').classList.toggle('primary', !lost);
      one(lost ? '#confirm_no' : '#confirm_yes').focus();
    });
  }

  // -- keys ------------------------------------------------------------------------------------------------------
  const shown = (selector) => [one(selector)].find((found) => found?.offsetParent);
  document.addEventListener('keydown', (event) => {
    if (event.isComposing || one('dialog[open]')) return;
    const typing = event.target.matches('textarea, select, [contenteditable], input:not([type=radio], .scrub)');
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      // On the tab that is open: the clip, or the story's animatic.
      (shown('#story_animatic') || (shown('#story_split')) || one('#generate'))?.click();
    } else if (event.key === 'Escape') {
      // The same key press would close the question that it opens.
      event.preventDefault();
      (shown('#cancel') || shown('#story_cancel') || shown('#style_close') || one('#panel_close'))?.click();
    } else if (!typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      plainKey(event);
    }
  });
  function plainKey(event) {
    const video = player.film();
    const onButton = event.target.matches('button, a, summary, input');
    if (event.key === ' ' && video && !onButton) player.toggle(video);
    else if (event.key === 'ArrowLeft' && video && !event.target.matches('input')) player.step(video, -1);
    else if (event.key === 'ArrowRight' && video && !event.target.matches('input')) player.step(video, 1);
    else if (/^[1-4]$/.test(event.key)) all('#takes .cell')[event.key - 1]?.click();
    else if (event.key === '/') (shown('#library_search') || shown('#styles_search') || one('#prompt textarea'))?.focus();
    else if (event.key === '?') one('dialog#keys').showModal();
    else return;
    event.preventDefault();
  }

  // -- a button pressed while nobody answers -------------------------------------------------------------------
  document.addEventListener('click', async (event) => {
    if (!event.target.closest('#generate')) return;
    const answer = await fetch('../healthz', { cache: 'no-store' }).catch(() => null);
    if (!answer?.ok) flash('#unsent', 8000);
  }, true);

  // -- light and dark, language, keys list ----------------------------------------------------------------------
  document.addEventListener('click', (event) => {
    const what = event.target.closest('[data-local]')?.dataset.local;
    if (what === 'keys') one('dialog#keys').showModal();
    if (what === 'theme') {
      const root = document.documentElement;
      root.dataset.theme = root.dataset.theme === 'light' ? 'dark' : 'light';
      try { localStorage.setItem('wan_theme', root.dataset.theme); } catch { /* private mode */ }
    }
    const language = event.target.closest('#language');
    if (language) language.search = `?next=${encodeURIComponent(language.dataset.next + location.search)}`;
  }, true);

  // -- a film dropped anywhere gives its settings back ------------------------------------------------------------
  const carriesFile = (event) => [...(event.dataTransfer?.types || [])].includes('Files');
  document.addEventListener('dragover', (event) => {
    if (!carriesFile(event)) return;
    event.preventDefault();
    const note = one('#dropping');
    note.dataset.form ??= note.textContent;
    note.textContent = window.verify?.open() ? window.verify.words() : note.dataset.form;
    note.hidden = false;
  });
  document.addEventListener('dragleave', (event) => { if (!event.relatedTarget) one('#dropping').hidden = true; });
  document.addEventListener('drop', (event) => {
    if (!carriesFile(event)) return;
    event.preventDefault();
    one('#dropping').hidden = true;
    const input = one(window.verify?.open() ? '#drop_verify input[type=file]' : '#drop_mp4 input[type=file]');
    const only = new DataTransfer();
    if (!input || !event.dataTransfer.files.length) return;
    only.items.add(event.dataTransfer.files[0]);
    input.files = only.files;
    input.dispatchEvent(new Event('change', { bubbles: true }));
  });

  // -- what was typed outlives a reload -----------------------------------------------------------------------------
  const WRITTEN = ['prompt', 'first_frame', 'seed', 'negative_prompt', 'num_inference_steps', 'guidance_scale', 'guidance_scale_2', 'flow_shift', 'num_frames'];
  const CHOSEN = ['style', 'size', 'length', 'quality'];
  function draft(field) {
    const id = [...WRITTEN, ...CHOSEN].find((name) => field.closest?.(`#${name}`));
    if (id) keep(`wan_${id}`, field.value);
  }
  document.addEventListener('input', (event) => draft(event.target));
  function restoreDraft() {
    for (const id of WRITTEN) {
      const field = one(`#${id} textarea, #${id} input`);
      const text = kept(`wan_${id}`);
      if (!field || field.value || !text) continue;
      field.value = text;
      field.dispatchEvent(new Event('input', { bubbles: true }));
    }
    for (const id of CHOSEN) {
      const value = kept(`wan_${id}`);
      const radio = all(`#${id} input[type=radio]`).find((one) => one.value === value);
      if (radio && !radio.checked) radio.click();
    }
  }

  // -- the line to the studio ------------------------------------------------------------------------------------------
  // While a job is followed the stage is sent again every few seconds. When that stops (a phone slept, the studio was
  // restarted) the last picture stays, and the page follows again as soon as somebody answers.
  const SILENCE = 20000;
  let alive = Date.now();
  async function listen() {
    const live = ['held', 'queued', 'running'].includes(stage()?.dataset.state);
    if (!live || document.hidden) { alive = Math.max(alive, Date.now() - SILENCE + 4000); return; }
    if (Date.now() - alive < SILENCE) return;
    one('#line').hidden = false;
    try {
      const answer = await fetch('../healthz', { cache: 'no-store' });
      const last = Number(kept('wan_reload')) || 0;
      // Whoever is just being asked something answers first.
      if (!answer.ok || Date.now() - last < 60000 || one('dialog[open]')) return;
      keep('wan_reload', Date.now());
      location.reload();
    } catch { /* nobody there yet */ }
  }
  async function trouble() {
    // Gradio has something to say: either nobody answers any more (it reloads the page when somebody does), or a
    // handler broke.
    if (!one('.toast-wrap .error')) return;
    const answer = await fetch('../healthz', { cache: 'no-store' }).catch(() => null);
    if (!answer?.ok) { one('#line').hidden = false; return; }
    flash('#broken', 6000);
    window.story?.broken();
    window.verify?.broken();
  }
  function arrange() {
    const state = stage()?.dataset.state || 'empty';
    document.body.dataset.stage = state;
    one('#line').hidden = true;
    alive = Date.now();
  }
  function group() {
    // Gradio gives each radio a name of its own; one name a group gives arrow keys and a single stop for Tab.
    for (const id of CHOSEN) {
      for (const radio of all(`#${id} input[type=radio]`)) if (radio.name !== id) radio.name = id;
    }
  }
  function speak() {
    // Gradio names the browser's language; the page has one of its own.
    const language = one('.topbar')?.dataset.lang;
    if (language && document.documentElement.lang !== language) document.documentElement.lang = language;
    all('#tabs .overflow-menu > button').forEach((more) => more.setAttribute('aria-label', one('.topbar').dataset.more));
  }
  function begin() {
    if (!one('#stage section') || !one('#line') || !one('#prompt textarea')) { setTimeout(begin, 60); return; }
    speak();
    new MutationObserver(speak).observe(document.documentElement, { attributeFilter: ['lang'] });
    restoreDraft();
    arrange();
    group();
    arrive(false);
    new MutationObserver(arrange).observe(one('#stage'), { subtree: true, childList: true, attributes: true, attributeFilter: ['data-state', 'data-beat', 'src', 'style'] });
    // Gradio puts its own name back whenever something is chosen.
    new MutationObserver(group).observe(one('#asking'), { subtree: true, childList: true, attributes: true, attributeFilter: ['name'] });
    const toasts = one('.toast-wrap');
    if (toasts) new MutationObserver(trouble).observe(toasts, { subtree: true, childList: true });
    setInterval(listen, 2000);
  }
  document.documentElement.classList.toggle('apple', /Mac|iP(hone|ad|od)/.test(navigator.platform));
  // Gradio puts this script into the page when it has loaded already.
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', begin); else begin();
  const send = (area, data) => senders[area]?.(data);
  // What an open tab asks every few seconds; null while nobody answers.
  async function told(address) {
    const answer = await fetch(address, { cache: 'no-store' }).catch(() => null);
    return answer?.ok ? answer.json().catch(() => null) : null;
  }
  return { asked, opened, able, address, choose, send, senders, here, sure, agreed, standing, told, flash, answered, still };
})();
