// The synced player: <synced-player data-clips='[…]' data-words='{…}'> shows 2 to 4 clips under one clock. Needs
// nothing else of the page, so every room and the page of a shared link use the same one. No library.
//
// The longest clip leads: the others follow its clock, a little faster or slower (nobody sees 12 %), by a jump if they
// are far off. Who has no pictures to show holds all of them; a jump and the end of a loop wait until all are there.
(() => {
  const NEAR = 0.006; // seconds that nobody sees
  const FAR = 0.3; // seconds from which on a jump is quicker
  const PULL = 2; // how much faster, by second of lag
  const MOST = 0.12;
  const PATIENCE = 2000; // milliseconds to wait for a picture
  const SPEEDS = [1, 0.5, 0.25];
  const ICONS = {
    play: '<path d="M6 4l10 6-10 6z" fill="currentColor" stroke="none"/>',
    pause: '<path d="M6 4h3v12H6zM11 4h3v12h-3z" fill="currentColor" stroke="none"/>',
    back: '<path d="M12 4L6 10l6 6"/>',
    next: '<path d="M8 4l6 6-6 6"/>',
    loop: '<path d="M15.5 7A6.3 6.3 0 1 0 16.3 11M16 3v4h-4"/>',
    wipe: '<rect x="3" y="4.5" width="14" height="11" rx="1.5"/><path d="M10 3v14"/><path d="M10 4.5h5.5a1.5 1.5 0 0 1 1.5 1.5v8a1.5 1.5 0 0 1-1.5 1.5H10z" fill="currentColor" stroke="none" opacity=".45"/>',
    full: '<path d="M4 8V4h4M12 4h4v4M16 12v4h-4M8 16H4v-4"/>',
    sound: '<path d="M4 8v4h3l4 3V5L7 8z"/><path class="waves" d="M13.5 7.5a3.5 3.5 0 0 1 0 5M15.5 5.5a6.3 6.3 0 0 1 0 9"/>',
  };
  const svg = (name) => `<svg viewBox="0 0 20 20" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round">${ICONS[name]}</svg>`;
  const make = (tag, className, more = {}) => Object.assign(document.createElement(tag), { className, ...more });
  const clamp = (value, low, high) => Math.max(low, Math.min(high, value));
  const calm = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

  class SyncedPlayer extends HTMLElement {
    static observedAttributes = ['data-clips', 'data-view'];

    connectedCallback() {
      this.build();
      // Whoever draws the page around it anew may take away what stands in here.
      this.watch = new MutationObserver(() => { if (!this.firstElementChild) this.build(); });
      this.watch.observe(this, { childList: true });
    }
    disconnectedCallback() {
      this.watch?.disconnect();
      this.stop();
    }
    attributeChangedCallback(name, before, after) {
      if (!this.isConnected || before === null || before === after) return;
      if (name === 'data-view') this.look();
      // What is emptied is built by who watches it.
      else queueMicrotask(() => { if (this.firstElementChild && this.dataset.clips !== this.built) this.build(); });
    }

    // -- what there is ------------------------------------------------------------------------------------------
    build() {
      this.stop();
      const read = (name) => { try { return JSON.parse(this.dataset[name] || 'null'); } catch { return null; } };
      this.words = read('words') || {};
      this.clips = (read('clips') || []).slice(0, 4);
      this.built = this.dataset.clips;
      this.wanted = !calm() && this.dataset.paused === undefined;
      this.looping = true;
      this.speed = 1;
      this.began = this.held = this.settling = false;
      this.target = null;
      this.replaceChildren(this.stage(), this.deck());
      this.videos = [...this.querySelectorAll('video')];
      this.videos.forEach((video, at) => this.attend(video, at));
      this.look();
      this.begin();
    }
    stop() {
      cancelAnimationFrame(this.ticking);
      for (const video of this.videos || []) { video.pause(); video.removeAttribute('src'); video.load(); }
      this.videos = [];
    }
    stage() {
      const stage = make('div', 'sy-stage');
      stage.style.setProperty('--count', this.clips.length);
      this.clips.forEach((clip, at) => {
        const pane = make('figure', 'sy-pane');
        const screen = make('div', 'sy-screen');
        screen.style.aspectRatio = `${clip.width || 16} / ${clip.height || 9}`;
        screen.style.setProperty('--ratio', (clip.width || 16) / (clip.height || 9));
        const video = make('video', '', { muted: true, playsInline: true, preload: 'auto', disablePictureInPicture: true });
        video.setAttribute('muted', '');
        if (clip.poster) video.poster = clip.poster;
        video.src = clip.src;
        screen.append(video, make('p', 'sy-lost', { textContent: this.words.lost || '', hidden: true }));
        const told = make('figcaption', 'sy-title');
        told.append(make('b', '', { textContent: String(at + 1) }), make('span', '', { textContent: clip.title || '', title: clip.title || '' }));
        if (clip.sound) told.append(this.button('sound', () => this.solo(at), 'aria-pressed'));
        pane.append(screen, told);
        stage.append(pane);
      });
      const split = make('input', 'sy-split', { type: 'range', min: 0, max: 100, step: 0.5, value: 50, ariaLabel: this.words.wipe || '' });
      split.addEventListener('input', () => stage.style.setProperty('--at', `${split.value}%`));
      stage.append(split, make('i', 'sy-line'));
      stage.addEventListener('click', (event) => { if (event.target.closest('.sy-screen') && !event.target.closest('button')) this.toggle(); });
      return stage;
    }
    deck() {
      const deck = make('div', 'sy-deck');
      this.scrub = make('input', 'sy-scrub', { type: 'range', min: 0, max: 1000, value: 0, ariaLabel: this.words.seek || '' });
      this.scrub.addEventListener('input', () => this.seek((this.scrub.value / 1000) * this.length));
      this.counter = make('span', 'sy-counter', { textContent: '' });
      this.rate = make('button', 'sy-speed', { type: 'button', textContent: '1×', title: this.words.speed || '', ariaLabel: this.words.speed || '' });
      this.rate.addEventListener('click', () => this.slower());
      this.playing = this.button('play', () => this.toggle());
      this.loops = this.button('loop', () => { this.looping = !this.looping; this.tell(); }, 'aria-pressed');
      this.wipes = this.button('wipe', () => { this.dataset.view = this.dataset.view === 'wipe' ? 'side' : 'wipe'; }, 'aria-pressed');
      this.wipes.hidden = this.clips.length !== 2;
      deck.append(this.playing, this.button('back', () => this.step(-1)), this.button('next', () => this.step(1)), this.scrub, this.counter, this.rate, this.loops, this.wipes, this.button('full', () => this.requestFullscreen?.()));
      return deck;
    }
    button(name, does, state = '') {
      const button = make('button', `sy-${name}`, { type: 'button', innerHTML: svg(name), title: this.words[name] || '', ariaLabel: this.words[name] || name });
      if (state) button.setAttribute(state, 'false');
      button.addEventListener('click', does);
      return button;
    }
    look() {
      const wipe = this.dataset.view === 'wipe' && this.clips.length === 2;
      this.firstElementChild?.classList.toggle('wipe', wipe);
      this.wipes?.setAttribute('aria-pressed', String(wipe));
    }

    // -- who plays along ----------------------------------------------------------------------------------------
    attend(video, at) {
      video.addEventListener('error', () => {
        this.panes[at]?.classList.add('lost');
        const told = this.panes[at]?.querySelector('.sy-lost');
        if (told) told.hidden = false;
        this.begin();
      });
      video.addEventListener('loadeddata', () => this.begin());
      video.addEventListener('loadedmetadata', () => this.tell());
    }
    get panes() { return [...this.querySelectorAll('.sy-pane')]; }
    get good() { return this.videos.filter((video) => !video.error); }
    get lead() {
      return this.good.reduce((best, video) => ((video.duration || 0) > (best?.duration || 0) + 0.001 ? video : best), null) || this.good[0] || null;
    }
    get length() { return this.lead?.duration || 0; }
    get time() { return this.target ?? this.lead?.currentTime ?? 0; }
    fps(video) { return Number(this.clips[this.videos.indexOf(video)]?.fps) || 16; }
    // The last picture of a shorter clip stays until the others are through.
    at(video, time) { return clamp(time, 0, Math.max(0, (video.duration || 0) - 0.5 / this.fps(video))); }

    // -- together -------------------------------------------------------------------------------------------------
    begin() {
      if (this.began || !this.videos.length) return;
      // Whose file is lost is not waited for.
      if (!this.good.length) { this.tell(); return; }
      if (!this.good.every((video) => video.readyState >= 2)) return;
      this.began = true;
      this.tell();
      if (this.wanted) this.play();
    }
    async play() {
      this.wanted = true;
      if (this.settling || !this.lead) { this.tell(); return; }
      if (this.time >= this.length - 0.5 / this.fps(this.lead)) await this.settle(0);
      if (!this.wanted) return;
      this.held = false;
      for (const video of this.good) {
        video.playbackRate = this.speed;
        if (!this.isOver(video)) video.play().catch(() => {});
      }
      cancelAnimationFrame(this.ticking);
      this.tick();
    }
    pause() {
      this.wanted = false;
      for (const video of this.videos) video.pause();
      // They stand still at the same picture, not each at its own.
      if (this.lead) this.seek(this.time);
      this.tell();
    }
    toggle() { if (this.wanted) this.pause(); else this.play(); }
    isOver(video) { return video.ended || this.time >= (video.duration || 0) - 0.25 / this.fps(video); }
    tick() {
      if (!this.isConnected || !this.wanted) return;
      this.ticking = requestAnimationFrame(() => this.tick());
      this.tell();
      const lead = this.lead;
      if (this.settling || !lead) return;
      if (lead.ended) { this.around(); return; }
      const waits = this.good.some((video) => video.readyState < 3 && !this.isOver(video));
      if (waits !== this.held) {
        this.held = waits;
        for (const video of this.good) if (waits) video.pause(); else if (!this.isOver(video)) video.play().catch(() => {});
      }
      if (waits) return;
      for (const video of this.good) {
        if (this.isOver(video)) continue;
        if (video.paused) video.play().catch(() => {});
        const lag = video === lead ? 0 : lead.currentTime - video.currentTime;
        if (Math.abs(lag) > FAR) video.currentTime = this.at(video, lead.currentTime);
        const pull = Math.abs(lag) < NEAR || Math.abs(lag) > FAR ? 0 : clamp(lag * PULL, -MOST, MOST);
        const rate = Math.round(this.speed * (1 + pull) * 100) / 100;
        if (Math.abs(video.playbackRate - rate) > 0.004) video.playbackRate = rate;
      }
    }
    async around() {
      if (!this.looping) { this.wanted = false; this.tell(); return; }
      await this.settle(0);
      if (this.wanted) this.play();
    }
    // All to one moment; done when all show it. A later wish overtakes an earlier one.
    async seek(time) {
      const goes = this.wanted;
      await this.settle(clamp(time, 0, this.length));
      if (goes && this.wanted && !this.settling) this.play();
    }
    async settle(time) {
      this.target = time;
      this.tell();
      if (this.settling) return;
      this.settling = true;
      for (const video of this.videos) video.pause();
      while (this.target !== null) {
        const wish = this.target;
        await Promise.all(this.good.map((video) => this.jump(video, this.at(video, wish))));
        if (this.target === wish) this.target = null;
      }
      this.settling = false;
      this.tell();
    }
    jump(video, time) {
      if (Math.abs(video.currentTime - time) < 0.0005) return Promise.resolve();
      return new Promise((done) => {
        const over = () => { clearTimeout(late); video.removeEventListener('seeked', over); video.removeEventListener('error', over); done(); };
        const late = setTimeout(over, PATIENCE);
        video.addEventListener('seeked', over);
        video.addEventListener('error', over);
        video.currentTime = time;
      });
    }
    step(by) {
      if (!this.lead) return;
      this.wanted = false;
      const fps = Math.max(...this.good.map((video) => this.fps(video)));
      const last = Math.max(0, Math.round(this.length * fps) - 1);
      const frame = clamp(Math.floor(this.time * fps + 0.01) + by, 0, last);
      // The middle of a picture's time: its edge may round to the one before.
      this.settle((frame + 0.5) / fps);
    }
    slower() {
      this.speed = SPEEDS[(SPEEDS.indexOf(this.speed) + 1) % SPEEDS.length];
      for (const video of this.good) video.playbackRate = this.speed;
      this.tell();
    }
    solo(at) {
      const on = this.videos[at].muted;
      this.videos.forEach((video, other) => { video.muted = !(on && other === at); });
      this.tell();
    }
    tell() {
      if (!this.scrub) return;
      const { length, time, lead } = this;
      const share = length ? time / length : 0;
      this.scrub.value = 1000 * share;
      this.scrub.style.setProperty('--done', `${100 * share}%`);
      const fps = lead ? this.fps(lead) : 16;
      const frames = Math.max(1, Math.round(length * fps));
      this.counter.textContent = lead ? `${time.toFixed(1)} s · ${Math.min(frames, Math.floor(time * fps + 0.01) + 1)}/${frames}` : '';
      const name = this.wanted ? 'pause' : 'play';
      if (this.playing.dataset.now !== name) {
        this.playing.dataset.now = name;
        this.playing.innerHTML = svg(name);
        this.playing.title = this.playing.ariaLabel = this.words[name] || name;
      }
      this.rate.textContent = `${String(this.speed).replace('0.25', '¼').replace('0.5', '½')}×`;
      this.loops.setAttribute('aria-pressed', String(this.looping));
      this.panes.forEach((pane, at) => pane.querySelector('.sy-sound')?.setAttribute('aria-pressed', String(!this.videos[at]?.muted)));
      this.toggleAttribute('data-playing', this.wanted && !this.held && !this.settling);
      for (const control of this.querySelectorAll('.sy-deck button, .sy-scrub')) control.disabled = !lead;
    }
  }
  if (!customElements.get('synced-player')) customElements.define('synced-player', SyncedPlayer);

  // -- keys: for the player that is seen, unless somebody types or another player has the keyboard ------------------
  const seen = () => [...document.querySelectorAll('synced-player')].find((player) => player.offsetParent && player.videos?.length);
  addEventListener('keydown', (event) => {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
    const player = event.target.closest?.('synced-player') || seen();
    if (!player || event.target.matches?.('textarea, select, [contenteditable], input:not([type=radio], [type=checkbox], .sy-scrub)')) return;
    const onButton = event.target.matches?.('button, a, summary');
    if (event.key === ' ' && !onButton) player.toggle();
    else if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') {
      if (event.target.matches?.('[type=radio]')) return;
      player.step(event.key === 'ArrowLeft' ? -1 : 1);
    } else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);
})();
