# Each command makes its own virtual environment first; nothing needs to be installed by hand.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PROMPT ?= a boat moving right at sea at sunset
OUT    ?= out/demo.mp4
STORY  ?= 1-cowherd-and-weaver
FILM   ?= out/story.mp4

.PHONY: run demo demo-story covers test lint format bench eval-sketch train-sketch clean
run: $(VENV)/.installed              ## start the studio on http://127.0.0.1:7860
	$(BIN)/python app.py

demo: $(VENV)/.installed             ## one prompt to one MP4, without a browser: make demo PROMPT="…" OUT=x.mp4
	@$(BIN)/python -m studio.demo --prompt "$$PROMPT" --out "$(OUT)"
demo: export PROMPT := $(PROMPT)

demo-story: $(VENV)/.installed       ## a story to a film, without a browser: make demo-story STORY=name FILM=x.mp4
	@$(BIN)/python -m studio.demo --story "$(STORY)" --out "$(FILM)"

covers: $(VENV)/.installed           ## draw the pictures of styles and example stories anew, with the sketch model
	$(BIN)/python -m studio.covers

test: $(VENV)/.installed-dev browser ## every test, the browser tests included
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

lint: $(VENV)/.installed-dev         ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.installed-dev        ## speed and memory, as ratios of interleaved runs
	$(BIN)/python -m bench

eval-sketch: $(VENV)/.installed-dev  ## does the sketch model draw what the words say?
	$(BIN)/python -m pipelines.sketch.evaluate

train-sketch: $(VENV)/.installed-dev ## train the sketch model again; resumes a killed run
	$(BIN)/python -m pipelines.sketch.train

$(VENV)/.installed: requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

.PHONY: browser
browser: $(VENV)/.installed-dev
	@$(BIN)/python -m tests.browser.find_chromium

clean:
	rm -rf $(VENV) out runs
