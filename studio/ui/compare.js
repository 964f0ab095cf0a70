// The tab Compare: the form is sent as it is, a grid is looked at again while it changes, clips are picked and voted on.
window.compare = (() => {
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const ui = { grid: '', picks: [], wanted: null };
  const grid = () => one('#compare_room .grid-of');
  const isOpen = () => Boolean(one('#compare_room')?.offsetParent);
  const MOST = 4;
  const BEAT = 1500;

  // -- asking: the server draws, the page says where in it one is -----------------------------------------------------
  function values() {
    const form = one('#compare_form_in');
    if (!form) return {};
    const data = new FormData(form);
    return { ...Object.fromEntries(data), styles: data.getAll('styles') };
  }
  // What was typed outlives a reload and the other language, as on Create.
  const KEPT = 'wan_compare';
  function keep() {
    if (!ui.restored) return;
    try { sessionStorage.setItem(KEPT, JSON.stringify(values())); } catch { /* too long, or private mode */ }
  }
  function kept() {
    try { return JSON.parse(sessionStorage.getItem(KEPT) || 'null'); } catch { return null; }
  }
  let busy = 0;
  function ask(act, more = {}) {
    busy = Date.now();
    studio.send('compare_room', { act, key: '', grid: ui.grid, picks: ui.picks, values: values(), ...more });
  }
  const settling = () => Date.now() - busy < 1200;
  // The form as it is when its turn has come.
  const form = turns('compare_room', ['price'], ({ act, ...more }) => ask(act, more));
  const askForm = (act, more = {}) => form.add({ act, ...more });

  function open(id, push = true) {
    if (id !== ui.grid) ui.picks = [];
    ui.grid = id;
    if (push) studio.address(id ? 'grid' : 'tab', id || 'compare');
    ask('open');
    ask('compare', { picks: [] });
    document.body.removeAttribute('data-voting');
  }

  // -- buttons -----------------------------------------------------------------------------------------------------------
  studio.here.compare = async (button, key) => {
    const [verb, ...rest] = key.split(' ');
    const subject = rest.join(' ');
    const byHand = Boolean(window.event?.detail);
    if (!(await studio.agreed(button, one('#compare_room h2')?.textContent))) return;
    const does = {
      open: () => open(subject),
      close: () => open(''),
      // Picked by hand, the keyboard is the player's again; by keyboard, it stays where it is.
      pick: () => { if (byHand) button.blur(); pick(Number(subject)); },
      start,
      example: () => askForm('example'),
      again: () => { askForm('again'); one('#compare_prompts')?.focus(); },
      retry: () => ask('retry', { key: subject }),
      export: () => ask('export'),
      cancel: () => ask('cancel'),
      front: () => ask('front'),
      delete: () => { const gone = ui.grid; ui.grid = ''; ui.picks = []; studio.address('tab', 'compare'); ask('delete', { grid: gone, picks: [] }); },
      link: copyLink,
      vote: () => { document.body.dataset.voting = ''; ask('vote'); },
      vote_end: () => { document.body.removeAttribute('data-voting'); ask('compare'); },
      results: () => { document.body.removeAttribute('data-voting'); ask('results'); },
      answer: () => say(subject),
      table: () => one('#compare_csv')?.click(),
      table_off: () => { for (const box of all('#compare_form_in [name=lines], #compare_form_in [name=file]')) box.value = ''; askForm('form'); },
      styles_all: () => check(true),
      styles_none: () => check(false),
    };
    does[verb]?.();
  };
  function start() {
    if (settling() && ui.started) return;
    ui.started = true;
    ui.picks = [];
    ui.grid = '';
    ask('start');
  }
  function check(on) {
    for (const box of all('#compare_form_in [name=styles]')) box.checked = on;
    keep();
    count();
    later();
  }
  async function copyLink() {
    const address = new URL(location.href);
    address.search = `?grid=${encodeURIComponent(ui.grid)}`;
    try { await navigator.clipboard.writeText(address.href); studio.flash('#copied'); } catch { prompt('', address.href); }
  }

  // -- picking: the order in which clips were picked is that in which they stand --------------------------------------
  function pick(number) {
    if (ui.picks.includes(number)) ui.picks = ui.picks.filter((other) => other !== number);
    else ui.picks = [...ui.picks, number].slice(-MOST);
    shown();
    if (ui.picks.length > 1 || one('#compare_stage .together')) ask('compare');
    // On a phone the player would open out of sight.
    ui.show = ui.picks.length === 2 && matchMedia('(max-width: 799px)').matches;
  }
  function shown() {
    for (const cell of all('#compare_room .cmp-cell')) {
      const at = ui.picks.indexOf(Number(cell.dataset.number));
      const shot = one('.cmp-shot', cell);
      cell.toggleAttribute('own-picked', at >= 0);
      if (shot?.tagName === 'BUTTON') shot.ariaPressed = String(at >= 0);
      const order = one('.order', cell);
      // Only what changes: each change is told to who watches the room.
      const told = at >= 0 ? String(at + 1) : '';
      if (order && order.textContent !== told) order.textContent = told;
    }
  }

  // -- voting ------------------------------------------------------------------------------------------------------------
  function say(answer) {
    const pair = one('#compare_stage .voting')?.dataset.pair;
    if (!pair || settling()) return;
    ask('answer', { key: answer, picks: pair.split(' ').map(Number) });
  }
  document.addEventListener('keydown', (event) => {
    if (event.isComposing || event.repeat || event.ctrlKey || event.metaKey || event.altKey || one('dialog[open]')) return;
    if (!isOpen() || event.target.matches('textarea, select, input:not([type=checkbox], [type=radio], .sy-scrub), [contenteditable]')) return;
    const answer = { 1: 'left', 2: 'right', 0: 'tie' }[event.key];
    if (answer && one('#compare_stage .voting[data-pair*=" "]')) { event.preventDefault(); event.stopImmediatePropagation(); say(answer); }
  }, true);

  // -- the form: what it would cost, told a moment after the last change ---------------------------------------------
  let waiting;
  function later() {
    clearTimeout(waiting);
    waiting = setTimeout(askForm, 350, 'price');
  }
  function count() {
    const chosen = all('#compare_form_in [name=styles]:checked').length;
    const told = one('#compare_form_in [data-count=styles]');
    if (told) told.textContent = chosen || '';
  }
  document.addEventListener('input', (event) => {
    if (!event.target.closest?.('#compare_form_in') || event.target.type === 'file') return;
    keep();
    // What another model costs is told before it can be asked for.
    if (event.target.name === 'model') { ways.priced('#compare_start', false); askForm('form'); return; }
    count();
    later();
  });
  document.addEventListener('change', async (event) => {
    if (event.target.id !== 'compare_csv') return;
    const file = event.target.files?.[0];
    event.target.value = '';
    if (!file) return;
    // What is too big is refused there; it need not travel.
    const bytes = new Uint8Array(await file.slice(0, 1_000_001).arrayBuffer());
    let text = '';
    for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
    askForm('table', { key: file.name.slice(0, 80), table: btoa(text) });
  });
  document.addEventListener('submit', (event) => { if (event.target.id === 'compare_form_in') event.preventDefault(); });
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey) || !isOpen()) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    one('#compare_start')?.click();
  }, true);

  // -- what was drawn ---------------------------------------------------------------------------------------------------
  function drawn() {
    busy = 0;
    const now = grid();
    if (!now) return;
    const id = now.dataset.grid || '';
    if (id && id !== ui.grid) {
      ui.grid = id;
      ui.picks = [];
      studio.address('grid', id);
      if (matchMedia('(max-width: 799px)').matches) scrollTo({ top: 0 });
    }
    ui.started = false;
    document.body.dataset.compare = id ? 'grid' : 'list';
    shown();
  }
  // Answers may come in another order than they were asked for.
  function staged() {
    const together = one('#compare_stage .together');
    if (together && ui.show) { ui.show = false; together.scrollIntoView({ block: 'center' }); }
    if (together && !settling() && together.dataset.picks !== ui.picks.join(' ')) ask('compare');
    if ('voting' in document.body.dataset && !one('#compare_stage .voting')) ask('vote');
  }
  async function look() {
    const now = grid();
    if (isOpen() && !document.hidden && now?.dataset.live !== undefined && now.dataset.live !== 'false' && !settling()) {
      if (!now.dataset.grid) ask('open');
      else {
        const told = await studio.told(`../grid/${encodeURIComponent(now.dataset.grid)}/now`);
        if (told && grid()?.dataset.grid === now.dataset.grid && told.mark !== grid().dataset.mark) ask('open');
      }
    }
    setTimeout(look, BEAT);
  }
  // The tab's inside comes with its first opening, a little later.
  function opened(tries = 40) {
    if (!one('#compare_room') || !studio.senders.compare_room) { if (tries) setTimeout(opened, 150, tries - 1); return; }
    attend();
    const wanted = ui.wanted ?? (new URLSearchParams(location.search).get('grid') || ui.grid);
    ui.wanted = null;
    if (wanted !== ui.grid || !grid()) open(wanted, false);
    const before = ui.restored ? null : kept();
    askForm('form', before ? { values: before } : {});
    ui.restored = true;
  }
  // Another room shows a grid here: what one prompt looks like in all styles, say.
  function show(id) {
    ui.wanted = id;
    if (isOpen()) opened(); else studio.choose('compare');
  }
  studio.here.to_grid = (button, key) => show(key);

  let attended = false;
  function attend() {
    if (attended) return;
    attended = true;
    new MutationObserver(drawn).observe(one('#compare_room'), { subtree: true, childList: true, attributes: true, attributeFilter: ['data-grid', 'data-mark'] });
    // An example, a table, another grid's wishes: they are put into the form from afar.
    new MutationObserver(() => { keep(); ways.priced('#compare_start', true); }).observe(one('#compare_form'), { subtree: true, childList: true });
    form.follow(one('#compare_turn'));
    new MutationObserver(staged).observe(one('#compare_stage'), { subtree: true, childList: true, attributes: true, attributeFilter: ['data-picks'] });
    drawn();
  }
  setTimeout(look, BEAT);
  return { opened, show, open, ui };
})();
