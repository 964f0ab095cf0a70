// The tab Story's hands: cards and keys, dragging, watching a shot, files in and out. No library.
window.storyHands = (() => {
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const { ui, ask } = story;
  const card = (shot) => one(`#story .shot[data-shot="${CSS.escape(shot)}"]`);
  const onStage = () => Boolean(one('#story')?.offsetParent);
  const { calm } = player;

  // -- cards ---------------------------------------------------------------------------------------------------------
  function section(button, key) {
    for (const tab of all('[role=tab]', button.parentElement)) tab.setAttribute('aria-selected', String(tab.dataset.key === key));
    ui.section = key;
    ask('section');
  }
  function open_shot(_, key) {
    ui.open = ui.open === key ? '' : key;
    ui.pick = false;
    return ask('open_shot');
  }
  function pick() { ui.pick = !ui.pick; ask('pick'); }
  function film_open(_, key) { ui.film = key; ask('film_open'); showStage(); }
  function take(button) {
    const { shot_id, asset_id } = JSON.parse(button.dataset.values);
    show(`../media/${asset_id}.mp4`, shot_id);
    if (ui.mine && button.getAttribute('aria-pressed') !== 'true') ask('take', { values: { shot_id, asset_id } });
  }
  async function goto(_, key) {
    if (ui.section !== 'shots') { ui.section = 'shots'; await ask('section'); }
    const found = card(key);
    found?.scrollIntoView({ block: 'center', behavior: calm() ? 'auto' : 'smooth' });
    found?.focus({ preventScroll: true });
    const film = one('#story_player');
    const marks = marksOf(film);
    const place = all('#story_line .slice').findIndex((block) => block.dataset.shot === key);
    if (film && marks[place] !== undefined) { unwatch(); film.currentTime = marks[place] + 0.01; }
  }
  // Where the caret stands in a card's text, counted as Python counts.
  function cursor(button) {
    const box = one('textarea.text', button.closest('.shot'));
    if (!box || !(box.selectionStart > 0 && box.selectionStart < box.value.length)) return {};
    return { at: [...box.value.slice(0, box.selectionStart)].length };
  }
  function answered(ack, item) {
    if (ack.sorry && !(item.act === 'new' || item.act === 'import')) tell(ack.sorry, true);
    else if (ack.told) tell(ack.told);
    else if (item.act !== 'refresh') one('#story_told').hidden = true;
    // What can be taken back is offered until something else happens.
    if (ack.undo || !ack.back) offer(ack.undo);
    if (['add_shot', 'split_shot'].includes(item.edit) && ack.open) focusText(ack.open);
    if (['open_story', 'example', 'new', 'blank', 'duplicate'].includes(item.act) && ack.story) scrollTo({ top: 0 });
    if (['film', 'shot', 'retry'].includes(item.act) && !ack.sorry) { unwatch(); if (item.act === 'film') showStage(); }
    if (item.act === 'new' && ack.sorry) one('#story_text')?.focus();
  }
  function focusText(shot) {
    const found = card(shot);
    found?.scrollIntoView({ block: 'nearest', behavior: calm() ? 'auto' : 'smooth' });
    one('textarea.text', found || document)?.focus({ preventScroll: true });
  }
  function showStage() {
    if (matchMedia('(max-width: 799px)').matches) scrollTo({ top: 0, behavior: calm() ? 'auto' : 'smooth' });
  }
  function drawn(name, root) {
    if (name === 'board') {
      const text = one('#story_text', root);
      if (text && !text.value) try { text.value = sessionStorage.getItem('wan_story_text') || ''; } catch { /* private mode */ }
    }
    if (name === 'line') one('#story_line .playhead')?.style.setProperty('--at', one('#story_line').dataset.at || 0);
  }

  // -- notes at the foot of the page ------------------------------------------------------------------------------------
  let hiding = 0;
  function tell(text, bad = false) {
    const note = one('#story_told');
    note.textContent = text;
    note.toggleAttribute('own-bad', bad);
    note.hidden = false;
    clearTimeout(hiding);
    hiding = setTimeout(() => { note.hidden = true; }, 4000 + text.length * 60);
  }
  let offering = 0;
  function offer(text) {
    const bar = one('#story_undo');
    clearTimeout(offering);
    bar.hidden = !text;
    if (!text) return;
    one('span', bar).textContent = text;
    offering = setTimeout(() => { bar.hidden = true; }, 10000);
  }
  document.addEventListener('click', (event) => { if (event.target.closest('#story_undo button')) ask('undo'); });
  // A menu opens downwards, or upwards where there is more room.
  document.addEventListener('toggle', (event) => {
    const menu = event.target;
    if (!menu.open || !menu.matches('#story details.menu')) return;
    menu.removeAttribute('own-up');
    const sheet = one('.sheet', menu);
    sheet.style.maxHeight = '';
    const bar = one('#story_bar');
    const line = one('#story_line');
    const floor = innerHeight - (getComputedStyle(bar).position === 'fixed' ? bar.offsetHeight : 0);
    const roof = Math.max(one('.topbar').offsetHeight, getComputedStyle(line).position === 'sticky' ? line.getBoundingClientRect().bottom : 0);
    const { top, bottom } = menu.getBoundingClientRect();
    const [above, below] = [top - roof - 8, floor - bottom - 8];
    const up = sheet.offsetHeight > below && above > below;
    menu.toggleAttribute('own-up', up);
    sheet.style.maxHeight = `${Math.max(120, up ? above : below)}px`;
  }, true);
  document.addEventListener('click', (event) => {
    for (const menu of all('#story details.menu[open]')) if (!menu.contains(event.target)) menu.removeAttribute('open');
  });

  // -- keys --------------------------------------------------------------------------------------------------------------
  document.addEventListener('keydown', (event) => {
    if (!onStage() || event.isComposing || one('dialog[open]')) return;
    const typing = event.target.matches('textarea, select, input:not([type=checkbox], [type=range], [type=file]), [contenteditable]');
    if (event.key === 'Escape') return escaped(event);
    if (event.key.toLowerCase() === 'z' && (event.ctrlKey || event.metaKey) && !event.shiftKey && !typing && ui.back) {
      event.preventDefault();
      ask('undo');
    }
    const held = event.target.closest('.shot');
    if (held && event.target === held) onCard(event, held);
  }, true);
  function escaped(event) {
    const menu = one('#story details.menu[open]');
    if (menu) { menu.removeAttribute('open'); one('summary', menu).focus(); } else if (ui.open) {
      const key = ui.open;
      open_shot(null, key).then(() => card(key)?.focus({ preventScroll: true }));
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
  function onCard(event, held) {
    const cards = all('#story .shot');
    const place = cards.indexOf(held);
    const down = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === 'Home' || event.key === 'End') cards[event.key === 'Home' ? 0 : cards.length - 1].focus();
    else if (down && event.altKey) move(held.dataset.shot, place + down, cards.length);
    else if (down) cards[place + down]?.focus();
    else if (event.key === 'Enter' || event.key === ' ') open_shot(null, held.dataset.shot).then(() => focusText(held.dataset.shot));
    else if (event.key === 'Delete' && ui.mine) ask('change', { edit: 'delete_shot', values: { shot_id: held.dataset.shot } });
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
  function move(shot, to, count) {
    if (!ui.mine || to < 0 || to >= count) return;
    ask('change', { edit: 'move_shot', values: { shot_id: shot, to } });
  }

  // -- dragging a card by its number: mouse, pen and finger -----------------------------------------------------------------
  let drag = null;
  document.addEventListener('pointerdown', (event) => {
    const grip = event.target.closest?.('#story [data-grip]');
    if (!grip || event.button) return;
    const held = grip.closest('.shot');
    drag = { held, from: event.clientY, scrolled: scrollY, pointer: event.pointerId, to: null, on: false };
    grip.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  document.addEventListener('pointermove', (event) => {
    if (!drag || event.pointerId !== drag.pointer) return;
    drag.y = event.clientY;
    if (!drag.on && Math.abs(event.clientY - drag.from) < 5) return;
    if (!drag.on) { drag.on = true; drag.held.setAttribute('own-drag', ''); document.body.setAttribute('own-dragging', ''); edge(); }
    aim();
  });
  function aim() {
    drag.held.style.setProperty('--dy', `${drag.y - drag.from + scrollY - drag.scrolled}px`);
    const cards = all('#story .shot');
    const own = cards.indexOf(drag.held);
    const rest = cards.filter((other) => other !== drag.held);
    let to = rest.findIndex((other) => { const box = other.getBoundingClientRect(); return drag.y < box.top + box.height / 2; });
    if (to < 0) to = rest.length;
    for (const other of cards) other.removeAttribute('own-drop');
    if (to !== own) (rest[to] || rest[rest.length - 1])?.setAttribute('own-drop', rest[to] ? 'before' : 'after');
    drag.to = to === own ? null : to;
  }
  function edge() {
    if (!drag?.on) return;
    const near = 90;
    if (drag.y < near) scrollBy(0, -(near - drag.y) / 6);
    else if (drag.y > innerHeight - near) scrollBy(0, (drag.y - innerHeight + near) / 6);
    aim();
    requestAnimationFrame(edge);
  }
  function drop(keep) {
    if (!drag) return;
    const { held, to, on } = drag;
    drag = null;
    held.removeAttribute('own-drag');
    held.style.removeProperty('--dy');
    document.body.removeAttribute('own-dragging');
    for (const other of all('#story .shot')) other.removeAttribute('own-drop');
    if (keep && on && to !== null) move(held.dataset.shot, to, Infinity);
  }
  document.addEventListener('pointerup', () => drop(true));
  document.addEventListener('pointercancel', () => drop(false));
  document.addEventListener('keydown', (event) => { if (event.key === 'Escape' && drag) { drop(false); event.stopPropagation(); } }, true);

  // -- watching one shot in place of the film -------------------------------------------------------------------------------
  function show(source, shot) {
    const stage = one('#story_stage section');
    const video = one('[data-viewer] video', stage || document);
    if (!video) return;
    one('#story_player')?.pause();
    stage.setAttribute('own-viewing', '');
    one('[data-viewer] .which', stage).textContent = card(shot)?.getAttribute('aria-label') || '';
    if (video.getAttribute('src') !== source) video.src = source;
    video.muted = true;
    video.play().catch(() => {});
    showStage();
  }
  function watch(button, key) { show(button.dataset.film, key); }
  function unwatch() {
    const stage = one('#story_stage section');
    stage?.removeAttribute('own-viewing');
    one('[data-viewer] video', stage || document)?.pause();
  }

  // -- the film's shots on its time -----------------------------------------------------------------------------------------
  const marksOf = (film) => (film?.dataset.marks || '').split(',').filter(Boolean).map(Number);
  function hop(by) {
    const film = one('#story_player');
    const marks = marksOf(film);
    if (!film || !marks.length) return;
    // "Back" soon after a beginning means the shot before.
    const now = film.currentTime + (by < 0 ? -0.8 : 0.05);
    const later = marks.filter((mark) => (by > 0 ? mark > now : mark < now));
    film.currentTime = (by > 0 ? later[0] ?? film.duration : later[later.length - 1] ?? 0) + (by > 0 && later.length ? 0.01 : 0);
  }
  function mute(button) {
    const film = one('video', button.closest('.player'));
    film.muted = !film.muted;
    button.toggleAttribute('own-off', film.muted);
  }
  document.addEventListener('timeupdate', (event) => {
    const film = event.target;
    if (film.id !== 'story_player' || !film.duration) return;
    const marks = marksOf(film);
    const place = marks.findLastIndex((mark) => mark <= film.currentTime + 0.02);
    const line = one('#story_line .line');
    if (!line || place < 0) return;
    const blocks = all('.slice', line);
    for (const [at, block] of blocks.entries()) block.toggleAttribute('own-now', at === place);
    const end = marks[place + 1] ?? film.duration;
    const block = blocks[place];
    if (!block) return;
    const share = Math.min(1, (film.currentTime - marks[place]) / Math.max(0.1, end - marks[place]));
    const at = parseFloat(block.style.left) + share * parseFloat(block.style.width);
    one('.playhead', line).style.setProperty('--at', `${at}%`);
    line.setAttribute('own-playing', '');
  }, true);

  // -- voices and music to hear ------------------------------------------------------------------------------------------------
  const sound = new Audio();
  let sounding = null;
  function hear(button, key) {
    const same = sounding === button && !sound.paused;
    sound.pause();
    sounding?.removeAttribute('own-on');
    sounding?.removeAttribute('own-busy');
    sounding = null;
    if (same) return;
    sounding = button;
    button.setAttribute('own-busy', '');
    sound.src = key;
    sound.play().catch(() => { if (sounding === button) failed(); });
  }
  function failed() { sounding?.removeAttribute('own-busy'); tell(one('#story_told').dataset.silent, true); }
  sound.addEventListener('playing', () => { sounding?.removeAttribute('own-busy'); sounding?.setAttribute('own-on', ''); });
  sound.addEventListener('ended', () => sounding?.removeAttribute('own-on'));

  // -- files in ------------------------------------------------------------------------------------------------------------------
  document.addEventListener('change', async (event) => {
    const input = event.target;
    const file = input.files?.[0];
    if (!file || !input.closest('#story')) return;
    if (input.dataset.upload) bring(file, input.dataset.upload, input.dataset.shot, input.closest('label'));
    if (input.dataset.import !== undefined) take_in(file);
    if (input.dataset.table !== undefined) storyTable.load(file);
    input.value = '';
  });
  function decoded(bytes) {
    try { return new TextDecoder('utf-8', { fatal: true }).decode(bytes); } catch { return new TextDecoder('gb18030').decode(bytes); }
  }
  const take_in = async (file) => ask('import', { values: { text: await file.slice(0, 1200000).text() } });
  function bring(file, what, shot = '', label = one('#story_saved')) {
    const language = one('.topbar').dataset.lang.slice(0, 2);
    const query = new URLSearchParams({ what, shot, name: file.name, language });
    const request = new XMLHttpRequest();
    label.setAttribute('own-busy', '');
    request.upload.addEventListener('progress', (event) => label.style.setProperty('--share', event.loaded / Math.max(1, event.total)));
    request.addEventListener('loadend', () => {
      label.removeAttribute('own-busy');
      label.style.removeProperty('--share');
      let said = '';
      try { said = JSON.parse(request.responseText).errors?.map((error) => error.text).join(' ') || ''; } catch { /* no answer */ }
      if (request.status === 200) { ui.pick = false; ask('refresh'); } else if (said) tell(said, true); else studio.flash('#unsent', 6000);
    });
    request.open('POST', `../story/${ui.story}/file?${query}`);
    request.setRequestHeader('accept', 'application/json');
    request.send(file);
  }

  // Dropped on a card: what the shot shows. A story's own file opens, a text goes where it is split.
  const carries = (event) => [...(event.dataTransfer?.types || [])].includes('Files') && onStage();
  const over = (held) => { for (const one of all('#story .shot')) one.toggleAttribute('own-over', one === held); };
  addEventListener('dragover', (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    event.stopPropagation();
    over(ui.mine ? event.target.closest?.('.shot') : null);
  }, true);
  addEventListener('drop', async (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    event.stopPropagation();
    over(null);
    const file = event.dataTransfer.files[0];
    const held = event.target.closest?.('.shot');
    if (!file) return;
    if (/\.json$/i.test(file.name)) take_in(file);
    else if (held && ui.mine && /^(video|image)\//.test(file.type)) bring(file, 'shot', held.dataset.shot, one('.thumb', held));
    else if (ui.story && ui.mine && file.type.startsWith('audio/')) bring(file, 'music');
    else if (!ui.story && /^text\/|\.(txt|md)$/i.test(file.type || file.name)) one('#story_text').value = decoded(await file.slice(0, 1100000).arrayBuffer());
  }, true);

  // -- files out -----------------------------------------------------------------------------------------------------------------
  async function export_(button, key) {
    const { kind } = JSON.parse(button.dataset.values);
    const note = one('#story_export_told');
    button.setAttribute('own-busy', '');
    const address = `../export/${key}.${kind}`;
    let method = 'POST';
    try {
      for (;;) {
        const answer = await fetch(`${address}?status=1`, { method, headers: { accept: 'application/json' }, cache: 'no-store' });
        const told = await answer.json();
        if (told.errors) { tell(told.errors.map((error) => error.text).join(' '), true); break; }
        if (told.ready) { location.assign(address); if (told.text) tell(told.text); break; }
        note.textContent = note.dataset.wait.replace('{percent}', Math.round(100 * told.share));
        method = 'GET';
        await new Promise((go) => setTimeout(go, 700));
      }
    } catch { studio.flash('#unsent', 6000); }
    note.textContent = '';
    button.removeAttribute('own-busy');
  }
  async function copy_story(_, key) {
    const address = new URL(location.href);
    address.search = new URLSearchParams({ story: ui.story, ...(key === ui.story ? {} : { film: key }) });
    try { await navigator.clipboard.writeText(address.href); studio.flash('#copied'); } catch { prompt('', address.href); }
  }

  const acts = {
    section, open_shot, pick, film_open, take, goto, watch, unwatch, mute, hear, copy_story,
    export: export_, shot_back: () => hop(-1), shot_next: () => hop(1),
  };
  return { acts, cursor, answered, drawn };
})();
