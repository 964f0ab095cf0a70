// The tab Story: puts HTML in place without disturbing who types, and sends what is typed, in order. No library.
window.story = (() => {
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const ui = { story: '', revision: 0, mine: true, section: 'shots', open: '', pick: false, film: '', stamp: '', mark: '', back: false };
  const areas = {};
  let post = null;

  function mount(element, props, watch, trigger) {
    const name = element.closest('[id^=story_]').id.slice(6);
    if (name === 'live') { watch('value', () => hear(props.value)); return; }
    if (name === 'ack') {
      post = trigger;
      watch('value', () => arrived('ack', props.value));
      begin();
      return;
    }
    areas[name] = element;
    watch('value', () => arrived(name, props.value));
    if (props.value) draw(name, props.value);
    element.addEventListener('click', clicked);
  }

  // One answer fills several areas: they are drawn together, and what was typed counts as sent by then.
  let news = null;
  function arrived(name, value) {
    if (!news) { news = new Map(); setTimeout(take); }
    news.set(name, value);
  }
  function take() {
    const found = news;
    news = null;
    const ack = found.has('ack') ? JSON.parse(found.get('ack') || '{}') : {};
    if (flying?.box && ack.number === flying.number && flying.stood === flying.box.own_stood) typing.delete(flying.box);
    for (const [name, html] of found) if (name !== 'ack') draw(name, html);
    if (flying && ack.number === flying.number) {
      settled(flying, ack);
      window.storyLive?.drawn(ack, flying);
    }
    answered(ack);
  }

  // -- putting HTML in place: what is there already stays the same element, so caret, focus and film stay, too ----
  const keyOf = (node) => node.dataset?.key || null;
  const drawn = {};
  function draw(name, html) {
    const root = areas[name];
    drawn[name] = html;
    const next = document.createElement('template');
    next.innerHTML = html || '';
    const held = document.activeElement;
    const range = held?.selectionStart === undefined || held.type === 'range' ? null : [held.selectionStart, held.selectionEnd];
    patch(root, next.content);
    if (held && held !== document.activeElement && held.isConnected && root.contains(held)) {
      held.focus({ preventScroll: true });
      if (range) try { held.setSelectionRange(...range); } catch { /* not a text */ }
    }
    for (const area of all('textarea', root)) grow(area);
    if (name === 'stage') document.body.dataset.screen = one('section', root)?.dataset.state || 'none';
    if (name === 'board') document.body.dataset.story = one('.start', root) ? 'start' : 'open';
    window.storyHands?.drawn(name, root);
  }
  function patch(now, next) {
    const old = [...now.childNodes];
    const keyed = new Map(old.filter(keyOf).map((node) => [keyOf(node), node]));
    const plain = old.filter((node) => !keyOf(node));
    const used = new Set();
    let cursor = now.firstChild;
    for (const wanted of [...next.childNodes]) {
      const key = keyOf(wanted);
      let found = key ? keyed.get(key) : plain.find((node) => !used.has(node) && node.nodeName === wanted.nodeName);
      if (found && (found.nodeName !== wanted.nodeName || used.has(found))) found = null;
      if (!found) { now.insertBefore(wanted, cursor); continue; }
      used.add(found);
      while (cursor && used.has(cursor) && cursor !== found) cursor = cursor.nextSibling;
      if (found === cursor) cursor = cursor.nextSibling; else if (now.moveBefore) now.moveBefore(found, cursor); else now.insertBefore(found, cursor);
      become(found, wanted);
    }
    for (const node of old) if (!used.has(node)) node.remove();
  }
  // What the browser itself says of an element is left to it.
  const ours = (element, name) => name.startsWith('own-')
    || (name === 'open' && element.dataset.keep !== undefined)
    || (name === 'style' && element.matches('textarea, .menu > .sheet'));
  function become(now, next) {
    if (now.nodeType !== 1) { if (now.data !== next.data) now.data = next.data; return; }
    if (typing.has(now) || now.dataset.viewer !== undefined || now.dataset.own !== undefined || now.classList.contains('player')) return;
    const before = now.defaultValue;
    for (const { name } of [...now.attributes]) if (!next.hasAttribute(name) && !ours(now, name)) now.removeAttribute(name);
    for (const { name, value } of [...next.attributes]) if (now.getAttribute(name) !== value && !ours(now, name)) now.setAttribute(name, value);
    patch(now, next);
    if (now.matches('input, textarea, select')) settle(now, next, before);
  }
  function settle(now, next, before) {
    if (now.type === 'checkbox') { now.checked = next.hasAttribute('checked'); return; }
    if (now.type === 'file') return;
    const value = now.tagName === 'INPUT' ? next.getAttribute('value') || '' : next.value;
    // Somebody types here, and the studio only took away the spaces around it.
    if (now === document.activeElement && now.value.trim() === value.trim()) return;
    // What belongs to a form is not sent yet.
    if (!now.dataset.edit && now.value !== before && now.tagName !== 'SELECT') return;
    if (now.value !== value) now.value = value;
  }
  const sizes = CSS.supports('field-sizing', 'content');
  function grow(area) {
    if (sizes || !area.offsetParent) return;
    area.style.height = 'auto';
    area.style.height = `${area.scrollHeight + 2}px`;
  }

  // -- sending, one after the other: each message says which revision it has seen ------------------------------------
  // A language model may read a whole story first.
  const PATIENCE = 20000;
  const LONG = 240000;
  const ONCE = ['film', 'shot', 'new', 'blank', 'example', 'duplicate', 'table', 'open_story'];
  const outbox = [];
  let flying = null;
  let number = 0;
  function ask(act, more = {}) {
    flush();
    return put({ act, ...more });
  }
  function put(item) {
    const same = (other) => other && other.act === item.act && other.key === item.key && JSON.stringify(other.values) === JSON.stringify(item.values);
    if (ONCE.includes(item.act) && (same(flying) || outbox.some(same))) return Promise.resolve(null);
    if (item.slot) {
      const waiting = outbox.findIndex((other) => other.slot === item.slot);
      if (waiting >= 0) outbox.splice(waiting, 1);
    }
    const answer = new Promise((done) => { item.done = done; });
    outbox.push(item);
    remember();
    pump();
    return answer;
  }
  function pump() {
    sign();
    if (flying || !outbox.length || !post) return;
    flying = outbox.shift();
    flying.number = ++number;
    const slow = ['new', 'import', 'table'].includes(flying.act) || flying.edit === 'write';
    flying.timer = setTimeout(late, slow ? LONG : PATIENCE, flying);
    if (flying.box) flying.was = shownIn(flying.box);
    const { act, key = '', edit = '', values = {}, was } = flying;
    const { story, revision, section, open, pick, film } = ui;
    post({ act, key, edit, values, was, number, story, revision, section, open, pick, film });
    sign();
  }
  function answered(ack) {
    if (!ack.number || !flying || ack.number !== flying.number) return;
    const item = flying;
    flying = null;
    clearTimeout(item.timer);
    adopt(ack, item);
    item.done(ack);
    remember();
    window.storyHands?.answered(ack, item);
    pump();
  }
  function adopt(ack, item) {
    const moved = ack.story !== ui.story;
    for (const name of Object.keys(ui)) if (ack[name] !== undefined) ui[name] = ack[name];
    if (moved) {
      typing.clear();
      outbox.length = 0;
      if (ack.story) restore();
      if (!item.quiet) studio.address(ui.story ? 'story' : 'tab', ui.story || 'story');
    }
  }
  async function late(item) {
    const well = await answers();
    if (flying !== item) return;
    flying = null;
    clearTimeout(item.timer);
    // The first try may have arrived: what may not be done twice is refused by its revision.
    if (!well || (item.typed && (item.tries = (item.tries || 0) + 1) < 3)) outbox.unshift(item);
    else { if (item.box) typing.delete(item.box); item.done(null); remember(); }
    if (!well) { offline = true; sign(); waitForIt(); } else setTimeout(pump, item.tries ? 1500 : 0);
  }
  // The studio says that a handler broke: nothing will come for what is under way.
  const broken = () => flying && late(flying);
  let offline = false;
  async function answers() {
    const answer = await fetch('../healthz', { cache: 'no-store' }).catch(() => null);
    return Boolean(answer?.ok);
  }
  async function waitForIt() {
    while (!(await answers())) await new Promise((go) => setTimeout(go, 2000));
    offline = false;
    pump();
  }
  function sign() {
    const mark = one('#story_saved');
    if (!mark) return;
    const edits = [flying, ...outbox].some((item) => item && item.act === 'change') || later.size;
    const state = offline && edits ? 'unsaved' : edits ? 'saving' : 'saved';
    if (mark.getAttribute('own-state') === state) return;
    mark.setAttribute('own-state', state);
    mark.setAttribute('own-text', mark.dataset[state]);
  }
  addEventListener('beforeunload', (event) => { flush(); if (offline && outbox.length) event.preventDefault(); });
  // What was typed while nobody answered outlives a reload of the page.
  function remember() {
    const kept = [flying, ...outbox].filter((item) => item?.typed).map(({ act, edit, values, slot, name, typed, was }) => ({ act, edit, values, slot, name, typed, was }));
    try { if (ui.story) sessionStorage.setItem(`wan_story_${ui.story}`, JSON.stringify(kept)); } catch { /* private mode */ }
  }
  function restore() {
    let kept = [];
    try { kept = JSON.parse(sessionStorage.getItem(`wan_story_${ui.story}`) || '[]'); } catch { /* private mode */ }
    if (ui.mine) for (const item of kept) put(item);
  }

  // -- typing --------------------------------------------------------------------------------------------------------
  const PAUSE = 500;
  const typing = new Map();
  const later = new Map();
  function valueOf(box) {
    const kind = box.dataset.as;
    if (box.dataset.chips !== undefined) return all('.phrase', box).map((phrase) => phrase.dataset.phrase);
    if (kind === 'switch') return box.checked;
    const text = box.value;
    if (kind === 'list') return text.split(/[,，、]/).map((part) => part.trim()).filter(Boolean);
    if (kind === 'choice') return text || null;
    if (kind === 'whole' || kind === 'number') {
      if (!text.trim()) return null;
      const found = Number(text.replace(',', '.').replace(/s$/, ''));
      return Number.isFinite(found) ? found : text;
    }
    return text;
  }
  // What the studio last said that a field holds: told with what is typed, so that nobody's text is lost in silence.
  const isText = (box) => !box.dataset.as && (box.tagName === 'TEXTAREA' || box.type === 'text');
  const shownIn = (box) => (isText(box) ? box.own_was ?? box.defaultValue : undefined);
  function settled({ box, values }, ack) {
    if (!box) return;
    // A value that was refused makes room for the one that holds; a text stays, to be put right.
    if (ack.sorry && !typing.has(box) && (!isText(box) || box.dataset.late !== undefined)) for (const name of ['head', 'board']) draw(name, drawn[name]);
    if (!typing.has(box)) delete box.own_was;
    else if (!ack.sorry && isText(box)) box.own_was = values[box.dataset.name];
  }
  const slotOf = (box) => `${box.dataset.edit} ${box.dataset.values || ''} ${box.dataset.name}`;
  const unsent = () => Boolean(flying || outbox.length || later.size);
  const beside = (element) => (element.dataset.values ? JSON.parse(element.dataset.values) : {});
  function send(box) {
    clearTimeout(later.get(box));
    later.delete(box);
    const { edit, name } = box.dataset;
    put({ act: 'change', edit, values: { ...beside(box), [name]: valueOf(box) }, slot: slotOf(box), name, typed: true, box, stood: box.own_stood, was: shownIn(box) });
  }
  function touched(box, pause = PAUSE) {
    typing.set(box, true);
    box.own_stood = (box.own_stood || 0) + 1;
    clearTimeout(later.get(box));
    if (pause === null) { later.delete(box); return; }
    later.set(box, setTimeout(send, pause, box));
    sign();
  }
  function flush() {
    for (const box of [...later.keys()]) send(box);
  }
  const control = (target) => target.closest?.('#story [data-edit][data-name]');
  document.addEventListener('input', (event) => {
    if (event.target.matches?.('#story textarea')) grow(event.target);
    const box = control(event.target);
    if (!box || box.dataset.chips !== undefined || event.target.type === 'checkbox' || event.target.tagName === 'SELECT') return;
    if (event.target.type === 'range') {
      const told = one('output', box.closest('.control'));
      if (told) told.textContent = box.value + (box.dataset.unit || '');
    }
    touched(box, box.dataset.late === undefined ? PAUSE : null);
  });
  document.addEventListener('change', (event) => {
    const box = control(event.target);
    if (!box || box.dataset.chips !== undefined) return;
    const slow = event.target.type === 'text' || event.target.tagName === 'TEXTAREA';
    if (!slow || (box.dataset.late !== undefined && typing.has(box))) touched(box, 0);
    else if (later.has(box)) touched(box, 0);
  });
  document.addEventListener('keydown', (event) => {
    const box = control(event.target);
    if (event.key === 'Enter' && !event.isComposing && box?.tagName === 'INPUT' && !event.ctrlKey && !event.metaKey) box.blur();
  });

  // -- chips: typed one after the other, each can be taken away --------------------------------------------------------
  function addChip(input) {
    const box = input.closest('[data-chips]');
    const words = input.value.split(/[,，、;；\n]/).map((word) => word.trim()).filter(Boolean);
    input.value = '';
    if (!words.length) return;
    for (const word of words) {
      const chip = document.createElement('span');
      chip.className = 'phrase';
      chip.dataset.phrase = word;
      chip.textContent = word;
      input.before(chip);
    }
    touched(box, 0);
  }
  document.addEventListener('keydown', (event) => {
    const input = event.target;
    if (!input.matches?.('#story .adds') || event.isComposing) return;
    if (event.key === 'Enter' && !event.ctrlKey && !event.metaKey) { event.preventDefault(); addChip(input); }
    if (event.key === 'Backspace' && !input.value) {
      const last = all('.phrase', input.closest('[data-chips]')).pop();
      if (last) { last.remove(); touched(input.closest('[data-chips]'), 0); }
    }
  });
  document.addEventListener('focusout', (event) => event.target.matches?.('#story .adds') && addChip(event.target));

  // -- pressing ----------------------------------------------------------------------------------------------------------
  async function clicked(event) {
    const button = event.target.closest('[data-act]');
    if (!button || button.tagName === 'FORM' || button.disabled) return;
    const { act, key = '', edit = '' } = button.dataset;
    if (act === 'unchip') {
      const box = button.closest('[data-chips]');
      button.closest('.phrase').remove();
      touched(box, 0);
      return;
    }
    if (window.storyHands?.acts[act]) { storyHands.acts[act](button, key); return; }
    if (studio.here[act]) { studio.here[act](button, key); return; }
    if (!(await studio.agreed(button, one('#story_title')?.value))) return;
    const values = beside(button);
    if (edit === 'split_shot') Object.assign(values, window.storyHands?.cursor(button) || {});
    for (const sibling of all('[role=radio]', button.closest('[role=radiogroup]') || button)) {
      sibling.setAttribute('aria-checked', String(sibling === button));
    }
    button.setAttribute('own-busy', '');
    button.closest('details.menu')?.removeAttribute('open');
    await ask(act, { key, edit, values });
    button.removeAttribute('own-busy');
  }
  document.addEventListener('submit', async (event) => {
    const form = event.target.closest('#story form[data-act]');
    if (!form) return;
    event.preventDefault();
    const values = Object.fromEntries(new FormData(form, event.submitter));
    event.submitter?.setAttribute('own-busy', '');
    const asks = (more = {}) => ask(form.dataset.act, { edit: form.dataset.edit || '', values: { ...values, ...more } });
    let ack = await asks();
    if (ack?.question) ack = (await studio.sure(ack.question, one('#story_title')?.value)) ? await asks({ agreed: ack.agreed }) : null;
    event.submitter?.removeAttribute('own-busy');
    if (ack && !ack.sorry) { form.reset(); forget(); }
  });
  const forget = () => { try { sessionStorage.removeItem('wan_story_text'); } catch { /* private mode */ } };
  document.addEventListener('input', (event) => {
    if (event.target.id !== 'story_text') return;
    try { sessionStorage.setItem('wan_story_text', event.target.value); } catch { /* too long, or private mode */ }
  });

  // -- what is rendered now ----------------------------------------------------------------------------------------------
  let heard = Date.now();
  function hear(value) {
    const told = JSON.parse(value || '{}');
    heard = Date.now();
    if (told.story !== ui.story) return;
    for (const [shot, take] of Object.entries(told.shots)) {
      const thumb = one(`.shot[data-shot="${shot}"] .thumb`);
      if (!thumb) continue;
      thumb.style.setProperty('--share', take.total ? take.step / take.total : 0);
      if (!take.version) continue;
      const slot = one('.live-slot', thumb);
      const image = one('img', slot) || slot.appendChild(Object.assign(document.createElement('img'), { alt: '' }));
      const source = `../preview/${take.job_id}.webp?v=${take.version}`;
      if (image.getAttribute('src') !== source) image.src = source;
    }
    if (told.stamp !== ui.stamp && !flying && !outbox.length) { ui.stamp = told.stamp; ask('refresh'); }
  }
  async function listen() {
    const live = ['queued', 'running'].includes(document.body.dataset.screen);
    if (!live || document.hidden || !ui.story) { heard = Math.max(heard, Date.now() - 16000); return; }
    if (Date.now() - heard < 20000) return;
    heard = Date.now();
    if (await answers()) ask('follow');
  }

  // -- beginning: the address says which story ------------------------------------------------------------------------------
  function begin() {
    const asks = new URLSearchParams(location.search);
    const asked = asks.get('story');
    if (asked) ui.film = asks.get('film') || '';
    if (asked) ask('open_story', { key: asked });
    else if (!outbox.some((item) => item.act === 'open_story')) ask('home', { quiet: true });
    pump();
    setInterval(listen, 2000);
  }
  function wanted(value) {
    const [story, film = ''] = String(value || '').split(' ');
    if (!story) return;
    ui.film = film;
    ask('open_story', { key: story });
  }
  // Back and forward in the browser.
  function returned(story) {
    if (story === ui.story) return;
    if (story) ask('open_story', { key: story }); else ask('home');
  }
  return { ui, mount, ask, wanted, returned, broken, unsent, slotOf, isTyping: (box) => typing.has(box) };
})();
