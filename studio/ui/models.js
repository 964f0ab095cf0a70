// The tab Models: bars move by themselves, the room is drawn anew only when something is another one by now.
window.models = (() => {
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const room = () => one('#models_room .models');
  const isOpen = () => Boolean(one('#models_room')?.offsetParent);
  let busy = 0;

  // -- asking: what is typed and which details are open is kept over the answer ---------------------------------
  const open = new Set();
  let typed = {};
  function ask(act, more = {}) {
    busy = Date.now();
    keep();
    studio.send('models_room', { act, ...more });
  }
  function keep() {
    open.clear();
    typed = {};
    all('#models_room details[open]').forEach((details) => open.add(details.dataset.keep));
    all('#models_room input').forEach((input) => { if (input.value) typed[place(input)] = input.value; });
  }
  const place = (input) => `${input.closest('details')?.dataset.keep} ${input.name}`;
  function drawn() {
    busy = 0;
    all('#models_room details').forEach((details) => { if (open.has(details.dataset.keep)) details.open = true; });
    all('#models_room input').forEach((input) => { input.value = input.value || typed[place(input)] || ''; });
  }
  async function pressed(button, key) {
    const [act, name = ''] = key.split(' ');
    if (Date.now() - busy < 1500) return;
    const { confirm: question } = button.dataset;
    const about = one('h3, b', button.closest('.model-card, .lora') || document)?.textContent;
    if (question && !(await studio.sure(question, about, studio.standing(button), studio.loses(button)))) return;
    const values = {};
    all('input', button.closest('details') || document.createElement('i')).forEach((input) => { values[input.name] = input.value; });
    if (act === 'add_lora') all('#lora_form input').forEach((input) => { input.dataset.sent = '1'; });
    ask(act, { name, values });
  }
  studio.here.models = pressed;
  studio.here.to_models = () => studio.choose('models');
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.isComposing || !event.target.matches('#models_room input')) return;
    event.preventDefault();
    one('.btn[data-act=models]', event.target.closest('details'))?.click();
  });

  // -- looking again by itself, while somebody looks --------------------------------------------------------------
  async function look() {
    let beat = 3000;
    if (isOpen() && !document.hidden && !busy) {
      const language = one('.topbar')?.dataset.lang === 'zh-CN' ? 'zh' : 'en';
      const answer = await fetch(`../models/now?language=${language}`, { cache: 'no-store' }).catch(() => null);
      const told = answer?.ok ? await answer.json().catch(() => null) : null;
      if (told && room()) {
        if (told.mark !== room().dataset.mark) ask('look');
        Object.entries(told.bars).forEach(([name, bar]) => move(name, bar));
        if (Object.keys(told.bars).length) beat = 1000;
      }
    } else if (Date.now() - busy > 8000) busy = 0;
    setTimeout(look, beat);
  }
  function move(name, { share, text }) {
    const bar = one(`#models_room .fetching[data-name="${CSS.escape(name)}"]`);
    if (!bar) return;
    one('.bar', bar).setAttribute('aria-valuenow', share);
    one('i', bar).style.width = `${share}%`;
    one('p', bar).textContent = text;
  }
  // The tab's inside comes with its first opening, a little later.
  function opened(tries = 30) {
    ask('look');
    if (!room() && tries) setTimeout(() => { if (!room()) opened(tries - 1); }, 400);
  }
  new MutationObserver((changes) => {
    if (changes.some((change) => change.target.closest?.('#models_room') && change.type === 'childList')) drawn();
  }).observe(document, { childList: true, subtree: true });
  setTimeout(look, 3000);
  return { opened };
})();
