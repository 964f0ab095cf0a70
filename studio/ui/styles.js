// The tab Styles: the gallery's search and keys, the panel's form, and what goes over to Create and Compare.
window.styles = (() => {
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const prompt = () => one('#style_try_prompt')?.value ?? one('#prompt textarea')?.value ?? '';
  const chosen = () => all('#style_try_form input[name=chosen]:checked').map((box) => box.value);
  const cards = () => all('#styles_gallery .card:not([hidden])');
  let query = '';
  let current = '';
  let focused = '';
  let was = '';

  const ask = (act, more = {}) => studio.send('styles_gallery', { act, prompt: prompt(), ...more });

  // -- buttons ---------------------------------------------------------------------------------------------------------
  async function pressed(button, key) {
    const [act, name = ''] = key.split(' ');
    if (act === 'use') { use(name); return; }
    if (act === 'save') { wait(button); save(); return; }
    if (act === 'discard') { discard(); return; }
    if (button.id === 'style_cancel' && drafted()) {
      if (!(await studio.sure(one('#style_form').dataset.ask, '', studio.standing(button), true))) return;
      discard();
    }
    if (act === 'try' || act === 'start') { wait(button); ask(act, { chosen: chosen() }); return; }
    if (act === 'delete') {
      const { confirm: question } = button.dataset;
      if (!(await studio.sure(question, one('#styles_panel h2')?.textContent, studio.standing(button), true))) return;
    }
    ask(act, { name });
    mark(['open', 'edit', 'duplicate'].includes(act) ? name : '');
  }
  studio.here.styles = pressed;
  studio.here.all_styles = () => studio.choose('styles');

  function use(name) {
    studio.choose('create');
    const radio = all('#style input[type=radio]').find((found) => found.value === name);
    radio?.click();
    radio?.closest('label').scrollIntoView({ block: 'nearest', inline: 'center' });
    one('#prompt textarea')?.focus({ preventScroll: true });
  }
  // Texts are checked before anything is kept or queued: nobody presses twice meanwhile.
  function wait(button) {
    button.disabled = true;
    setTimeout(() => { button.disabled = false; }, 5000);
  }
  function save() {
    const form = one('#style_form');
    const { name, version } = form.dataset;
    saved = keyOf(form);
    ask('save', { name, version: Number(version), new: form.dataset.new !== undefined, values: Object.fromEntries(new FormData(form)) });
  }

  // -- what was not saved: kept as it is typed, and back when the same form is opened again ---------------------------
  const KEPT = 'wan_style_draft';
  const keyOf = (form) => [form.dataset.name, form.dataset.version, form.dataset.new !== undefined ? 'new' : ''].join(' ');
  const drafts = () => { try { return JSON.parse(sessionStorage.getItem(KEPT) || '{}'); } catch { return {}; } };
  const drafted = () => { const form = one('#style_form'); return form && drafts()[keyOf(form)]; };
  function keepDraft(key, values) {
    const { [key]: _, ...others } = drafts();
    try { sessionStorage.setItem(KEPT, JSON.stringify(values ? { ...others, [key]: values } : others)); } catch { /* private mode */ }
  }
  let drawn = '';
  let saved = '';
  function restore() {
    const form = one('#style_form');
    if (!form) {
      if (saved && one('#styles_panel .told.done')) keepDraft(saved, null);
      drawn = saved = '';
      return;
    }
    if (keyOf(form) === drawn) return;
    drawn = keyOf(form);
    // An element may have been another style's, with what was typed into it.
    form.reset();
    const values = drafted();
    if (values) fill(form, values);
    one('#style_draft').hidden = !values;
  }
  function fill(form, values) {
    for (const field of form.elements) {
      if (!(field.name in values)) continue;
      if (field.type === 'radio') field.checked = field.value === values[field.name]; else field.value = values[field.name];
    }
  }
  function discard() {
    const form = one('#style_form');
    keepDraft(keyOf(form), null);
    form.reset();
    one('#style_draft').hidden = true;
  }
  document.addEventListener('input', (event) => {
    const form = event.target.closest?.('#style_form');
    if (form) keepDraft(keyOf(form), Object.fromEntries(new FormData(form)));
  });

  function mark(name) {
    current = name;
    for (const card of all('#styles_gallery .card')) card.toggleAttribute('aria-current', card.dataset.name === name);
  }

  // -- the gallery: search, arrows ----------------------------------------------------------------------------------------
  function filter() {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    for (const card of all('#styles_gallery .card')) card.hidden = !words.every((word) => card.dataset.words.includes(word));
    one('#styles_gallery .nothing')?.toggleAttribute('hidden', cards().length > 0);
  }
  document.addEventListener('input', (event) => {
    if (event.target.id === 'styles_search') { query = event.target.value; filter(); }
    if (event.target.matches('.before-after input')) event.target.parentElement.style.setProperty('--at', `${event.target.value}%`);
  });
  document.addEventListener('keydown', (event) => {
    const way = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 'down', ArrowUp: 'up' }[event.key];
    const card = way && event.target.closest('#styles_gallery .card');
    if (!card) return;
    const listed = cards();
    const at = listed.indexOf(card);
    const row = listed.filter((other) => other.offsetTop === listed[0].offsetTop).length;
    const to = at + (way === 'down' ? row : way === 'up' ? -row : way);
    listed[to]?.focus();
    event.preventDefault();
  });

  // -- files and the price of a try ---------------------------------------------------------------------------------------
  document.addEventListener('change', async (event) => {
    const { target } = event;
    if (target.id === 'style_file' && target.files[0]) {
      const [file] = target.files;
      // One byte too many is enough for the studio to say what is allowed.
      const text = await file.slice(0, Number(target.dataset.most) + 1).text();
      target.value = '';
      ask('bring', { text });
    }
    if (target.closest('#style_try_form')) {
      focused = target.id ? `#${target.id}` : `[name="${target.name}"][value="${target.value}"]`;
      ask('try', { chosen: chosen() });
    }
  });
  document.addEventListener('submit', (event) => {
    if (!event.target.matches('#style_form, #style_try_form')) return;
    event.preventDefault();
    if (event.target.id === 'style_form') save();
  });

  // -- what was drawn anew -------------------------------------------------------------------------------------------------
  function drawnPanel() {
    const grid = one('#styles_panel [data-grid]')?.dataset.grid;
    if (grid) window.compare.show(grid);
    const panel = one('#styles_panel .panel');
    restore();
    for (const button of all('#styles_panel .btn:disabled')) button.disabled = false;
    if (panel?.dataset.name) mark(panel.dataset.name);
    // What is drawn anew may keep its element, and with it how far one had scrolled in what was there before.
    const now = panel ? `${panel.className} ${panel.dataset.name} ${panel.dataset.version}` : '';
    if (panel && now !== was) panel.scrollTop = 0;
    was = now;
    if (focused) { one(`#styles_panel ${focused}`)?.focus({ preventScroll: true }); focused = ''; return; }
    if (panel && !panel.contains(document.activeElement)) (one('[name=title]', panel) || one('#style_close', panel))?.focus({ preventScroll: true });
  }
  function drawnGallery() {
    const box = one('#styles_search');
    if (box && box.value !== query) box.value = query;
    filter();
    if (current) mark(current);
  }
  // What was chosen before a reload, where that is an own style: its tile comes a moment after the others.
  function chooseAgain(tries = 120) {
    let name = '';
    try { name = sessionStorage.getItem('wan_style') || ''; } catch { /* private mode */ }
    if (!name.startsWith('own-') || !tries) return;
    const radio = all('#style input[type=radio]').find((found) => found.value === name);
    if (radio) radio.click(); else setTimeout(chooseAgain, 250, tries - 1);
  }
  function begin() {
    const [gallery, panel] = [one('#styles_gallery'), one('#styles_panel')];
    if (!gallery || !panel) { setTimeout(begin, 120); return; }
    new MutationObserver(drawnGallery).observe(gallery, { childList: true, subtree: true });
    new MutationObserver(drawnPanel).observe(panel, { childList: true, subtree: true });
    drawnGallery();
  }
  begin();
  addEventListener('load', () => setTimeout(chooseAgain, 500));
  return { ask };
})();
